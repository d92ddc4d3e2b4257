//! The mirrors: the same two stages, with sums in f64 and each part of a channel read twice while it is in cache.

use super::params::{Params, Spread};
use crate::kernel::Args;
use crate::mirror::{self, Real};
use std::ops::Range;

impl Params {
    /// Calls `f` with where each run of part `which` lies.
    #[inline]
    fn for_each_run(&self, which: usize, f: impl FnMut(Range<usize>)) {
        let (splits, part) = (self.splits as usize, self.part as usize);
        let from = which % splits * part;
        let to = (from + part).min((self.n * self.inner) as usize);
        mirror::for_each_run(self.c as usize, self.inner as usize, which / splits, from, to, f);
    }

    /// What a deviation from the mean is multiplied by.
    fn rstd<T: Real>(&self, spread: T) -> T {
        match self.spread() {
            Spread::Rstd => spread,
            Spread::Variance => T::one() / (spread + T::of(self.eps)).sqrt(),
            Spread::One => T::one(),
        }
    }
}

pub(super) fn partial_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, partial): (&[T], &mut [T]) = (args.input(0), args.output(0));
    mirror::for_each_chunk(partial, 4, &|which, moments| {
        // Means are counted from the channel's first element: a large one then rounds only once.
        let origin = x[which / p.splits as usize * p.inner as usize];
        let (mut count, mut sum, mut m2) = (0u32, 0.0, 0.0);
        p.for_each_run(which, |run| {
            count += run.len() as u32;
            sum += mirror::sum_by(&x[run], |v| v);
        });
        let mean = T::of(sum / f64::from(count.max(1)) - origin.into());
        if p.spread() == Spread::Rstd {
            let center: f64 = origin.into() + mean.into();
            p.for_each_run(which, |run| m2 += mirror::sum_by(&x[run], |v| (v - center) * (v - center)));
        }
        moments.copy_from_slice(&[T::of(count), mean, T::of(m2), origin]);
    });
}

/// Count, mean and squared deviations of a channel from those of its parts.
fn join<T: Real>(parts: &[T]) -> [f64; 3] {
    let origin: f64 = parts[3].into();
    let parts = || parts.chunks_exact(4).map(|m| -> [f64; 3] { [m[0].into(), m[1].into(), m[2].into()] });
    let count: f64 = parts().map(|[count, ..]| count).sum();
    let mean: f64 = parts().map(|[count, mean, _]| count * mean).sum::<f64>() / count;
    let m2: f64 = parts().map(|[count, part, m2]| m2 + count * (part - mean) * (part - mean)).sum();
    [count, origin + mean, m2]
}

pub(super) fn stats_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (partial, mean, rstd): (&[T], &mut [T], &mut [T]) = (args.input(0), args.output(0), args.output(1));
    let (running_mean, running_var): (&mut [T], &mut [T]) = (args.output(2), args.output(3));
    for (c, parts) in partial.chunks_exact(4 * p.splits as usize).enumerate() {
        let [count, m, m2] = join(parts);
        (mean[c], rstd[c]) = (T::of(m), T::of(1.0 / (m2 / count + f64::from(p.eps)).sqrt()));
        move_towards(&mut running_mean[c], m, p);
        move_towards(&mut running_var[c], m2 / (count - 1.0).max(1.0), p);
    }
}

pub(super) fn demean_norm_stats_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (partial, mean, running_mean): (&[T], &mut [T], &mut [T]) = (args.input(0), args.output(0), args.output(1));
    for (c, parts) in partial.chunks_exact(4 * p.splits as usize).enumerate() {
        let [_, m, _] = join(parts);
        mean[c] = T::of(m);
        move_towards(&mut running_mean[c], m, p);
    }
}

fn move_towards<T: Real>(running: &mut T, batch: f64, p: Params) {
    *running += T::of(p.momentum) * (T::of(batch) - *running);
}

/// `v`, or zero where a ReLU stands between and `before` did not pass it. A NaN passes.
#[inline]
fn passed<T: Real>(v: T, before: T) -> T {
    if before <= T::zero() { T::zero() } else { v }
}

pub(super) fn apply_cpu<T: Real>(args: &mut Args<'_>) {
    match (args.constant("RELU"), args.constant("ADD")) {
        (0, _) => apply_then::<T>(args, |v, _| v),
        (_, 0) => apply_then::<T>(args, |v, _| passed(v, v)),
        _ => apply_then::<T>(args, |v, beside| passed(v + beside, v + beside)),
    }
}

fn apply_then<T: Real>(args: &mut Args<'_>, then: impl Fn(T, T) -> T + Sync) {
    let p: Params = args.params();
    let (x, y): (&[T], &mut [T]) = (args.input(0), args.output(0));
    let [gamma, beta, mean, spread, beside]: [&[T]; 5] = [1, 2, 3, 4, 5].map(|i| args.input(i));
    let (c, inner) = (p.c as usize, p.inner as usize);
    let factor: Vec<T> = gamma.iter().zip(spread).map(|(&gamma, &s)| p.rstd(s) * gamma).collect();
    if inner == 1 {
        mirror::for_each_plane(y, c, |n, y| {
            let of_channels = mean.iter().zip(&factor).zip(beta);
            let inputs = x[n * c..].iter().zip(&beside[n * c..]).zip(of_channels);
            y.iter_mut().zip(inputs).for_each(|(y, ((&x, &beside), ((&m, &f), &b)))| *y = then((x - m) * f + b, beside));
        });
    } else {
        mirror::for_each_plane(y, inner, |plane, y| {
            let (m, f, b) = (mean[plane % c], factor[plane % c], beta[plane % c]);
            let inputs = x[plane * inner..].iter().zip(&beside[plane * inner..]);
            y.iter_mut().zip(inputs).for_each(|(y, (&x, &beside))| *y = then((x - m) * f + b, beside));
        });
    }
}

pub(super) fn bwd_partial_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let [x, dy, gamma, beta, mean, spread]: [&[T]; 6] = [0, 1, 2, 3, 4, 5].map(|i| args.input(i));
    let relu = args.constant("RELU") == 1;
    mirror::for_each_chunk(args.output::<T>(0), 2, &|which, sums| {
        let c = which / p.splits as usize;
        let (m, f, b) = (mean[c], p.rstd(spread[c]) * gamma[c], beta[c]);
        let sum = match relu {
            true => sums_of_passed(p, which, x, dy, m, |x| (x - m) * f + b),
            false => sums_of_part(p, which, x, dy, m),
        };
        sums.copy_from_slice(&sum);
    });
}

/// The sums of `dy` and of its products with `x - mean` over one part of a channel.
fn sums_of_part<T: Real>(p: Params, which: usize, x: &[T], dy: &[T], mean: T) -> [T; 2] {
    let (m, mut sum, mut product): (f64, f64, f64) = (mean.into(), 0.0, 0.0);
    p.for_each_run(which, |run| {
        let (s, d) = mirror::sum_and_dot(&dy[run.clone()], &x[run], |x| x - m);
        sum += s;
        product += d;
    });
    [T::of(sum), T::of(product)]
}

/// The same of `dy` as a ReLU after `before(x)` let it through.
#[inline]
fn sums_of_passed<T: Real>(p: Params, which: usize, x: &[T], dy: &[T], mean: T, before: impl Fn(T) -> T) -> [T; 2] {
    // Some at a time, and then their sums: in one loop, the choice keeps the sums from being vectors, five times as slow.
    const SOME: usize = 128;
    let (m, mut sum, mut product): (f64, f64, f64) = (mean.into(), 0.0, 0.0);
    let mut through = [T::zero(); SOME];
    p.for_each_run(which, |run| {
        for (x, dy) in x[run.clone()].chunks(SOME).zip(dy[run].chunks(SOME)) {
            let through = &mut through[..x.len()];
            through.iter_mut().zip(x).zip(dy).for_each(|((through, &x), &dy)| *through = passed(dy, before(x)));
            let (s, d) = mirror::sum_and_dot(through, x, |x| x - m);
            sum += s;
            product += d;
        }
    });
    [T::of(sum), T::of(product)]
}

pub(super) fn add_bwd_partial_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let [x, dy, mean, y]: [&[T]; 4] = [0, 1, 2, 3].map(|i| args.input(i));
    let (partial, through): (&mut [T], &mut [T]) = (args.output(0), args.output(1));
    mirror::zip_map(dy, y, through, passed);
    let through = &*through;
    mirror::for_each_chunk(partial, 2, &|which, sums| {
        sums.copy_from_slice(&sums_of_part(p, which, x, through, mean[which / p.splits as usize]));
    });
}

pub(super) fn through_cpu<T: Real>(args: &mut Args<'_>) {
    let [dy, y]: [&[T]; 2] = [0, 1].map(|i| args.input(i));
    mirror::zip_map(dy, y, args.output(0), passed);
}

pub(super) fn bwd_sums_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let [gamma, mean, spread, partial]: [&[T]; 4] = [0, 1, 2, 3].map(|i| args.input(i));
    let (dgamma, dbeta, coefficients): (&mut [T], &mut [T], &mut [T]) = (args.output(0), args.output(1), args.output(2));
    // 1 / count, in the precision of the mirror.
    let share = if p.inverse_count == 0.0 { T::zero() } else { T::one() / T::of(p.n * p.inner) };
    for (c, parts) in partial.chunks_exact(2 * p.splits as usize).enumerate() {
        let sum = |which: usize| parts.chunks_exact(2).map(|s| s[which].into()).sum::<f64>();
        let rstd = p.rstd(spread[c]);
        dgamma[c] = T::of(sum(1) * rstd.into());
        dbeta[c] = T::of(sum(0));
        let slope = if p.spread() == Spread::Rstd { dgamma[c] * rstd * share } else { T::zero() };
        coefficients[4 * c..][..4].copy_from_slice(&[mean[c], rstd * gamma[c], dbeta[c] * share, slope]);
    }
}

pub(super) fn bwd_x_cpu<T: Real>(args: &mut Args<'_>) {
    match args.constant("RELU") {
        0 => bwd_x_through::<T>(args, |dy, _| dy),
        _ => bwd_x_through::<T>(args, passed),
    }
}

/// `dx = factor * (through(dy, y) - base - slope * (x - mean))`.
fn bwd_x_through<T: Real>(args: &mut Args<'_>, through: impl Fn(T, T) -> T + Sync) {
    let p: Params = args.params();
    let [x, dy, beta, coefficients]: [&[T]; 4] = [0, 1, 2, 3].map(|i| args.input(i));
    let dx: &mut [T] = args.output(0);
    let (c, inner) = (p.c as usize, p.inner as usize);
    let of_channels: Vec<([T; 4], T)> = coefficients.as_chunks().0.iter().copied().zip(beta.iter().copied()).collect();
    let element = |([mean, factor, base, slope], beta): ([T; 4], T), x: T, dy: T| {
        let off = x - mean;
        factor * (through(dy, off * factor + beta) - base - slope * off)
    };
    if inner == 1 {
        mirror::for_each_plane(dx, c, |n, dx| {
            let inputs = x[n * c..].iter().zip(&dy[n * c..]).zip(&of_channels);
            dx.iter_mut().zip(inputs).for_each(|(dx, ((&x, &dy), &k))| *dx = element(k, x, dy));
        });
    } else {
        mirror::for_each_plane(dx, inner, |plane, dx| {
            let k = of_channels[plane % c];
            let inputs = x[plane * inner..].iter().zip(&dy[plane * inner..]);
            dx.iter_mut().zip(inputs).for_each(|(dx, (&x, &dy))| *dx = element(k, x, dy));
        });
    }
}
