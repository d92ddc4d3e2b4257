//! The mirrors: sums in f64, rows in parallel, each read again while it is in cache.

use super::params::Params;
use crate::kernel::Args;
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSlice, ParallelSliceMut, each};
use crate::mirror::{self, Real};
use std::borrow::Cow;

/// How one row is normalised: `xhat = ((x - origin) - offset) * rstd`.
#[derive(Clone, Copy)]
struct Row<T> {
    origin: T,
    offset: T,
    rstd: T,
}

impl<T: Real> Row<T> {
    fn xhat(&self, x: T) -> T {
        ((x - self.origin) - self.offset) * self.rstd
    }

    /// The mean, as exact as it is kept.
    fn mean(&self) -> f64 {
        self.origin.into() + self.offset.into()
    }
}

impl Params {
    fn sizes(&self) -> [usize; 2] {
        [self.rows as usize, self.len as usize]
    }

    /// What a row's mean is counted from.
    fn origin<T: Real>(&self, x: &[T], row: usize) -> T {
        if self.centered == 1 { x[row * self.len as usize] } else { T::zero() }
    }

    fn row<T: Real>(&self, x: &[T], offset: &[T], rstd: &[T], row: usize) -> Row<T> {
        let offset = if self.centered == 1 { offset[row] } else { T::zero() };
        Row { origin: self.origin(x, row), offset, rstd: rstd[row] }
    }

    fn first_channel(&self, row: usize) -> usize {
        row % self.groups as usize * self.per_group as usize
    }

    /// Elements of a task within a row: whole channels.
    fn piece(&self) -> usize {
        let inner = self.inner as usize;
        (mirror::CHUNK / inner).max(1) * inner
    }

    /// Rows that are worth a task of their own.
    fn rows_per_task(&self) -> usize {
        (mirror::CHUNK / 4 / self.len as usize).max(1)
    }

    fn gamma<'a, T: Real>(&self, args: &Args<'a>, i: usize) -> Cow<'a, [T]> {
        if self.has_gamma == 1 { Cow::Borrowed(args.input(i)) } else { vec![T::one(); self.c as usize].into() }
    }

    fn beta<'a, T: Real>(&self, args: &Args<'a>, i: usize) -> Cow<'a, [T]> {
        if self.has_beta == 1 { Cow::Borrowed(args.input(i)) } else { vec![T::zero(); self.c as usize].into() }
    }

    fn rstd<T: Real>(&self, m2: f64) -> T {
        T::of(1.0 / (m2 / f64::from(self.len) + f64::from(self.eps)).sqrt())
    }
}

/// Mean from the origin and squared deviations of a part of a row.
fn moments<T: Real>(p: Params, x: &[T], origin: T) -> (T, f64) {
    let from: f64 = origin.into();
    let mean = if p.centered == 1 { T::of(mirror::sum_by(x, |v| v - from) / x.len() as f64) } else { T::zero() };
    let center = from + mean.into();
    (mean, mirror::sum_by(x, |v| (v - center) * (v - center)))
}

/// y of a run of channels from `first` on.
fn scale<T: Real>(p: Params, first: usize, x: &[T], y: &mut [T], row: Row<T>, gamma: &[T], beta: &[T]) {
    if p.inner == 1 {
        let affine = gamma[first..].iter().zip(&beta[first..]);
        y.iter_mut().zip(x).zip(affine).for_each(|((y, &x), (&g, &b))| *y = row.xhat(x) * g + b);
        return;
    }
    let inner = p.inner as usize;
    for (k, (y, x)) in y.chunks_exact_mut(inner).zip(x.chunks_exact(inner)).enumerate() {
        let (g, b) = (gamma[first + k], beta[first + k]);
        y.iter_mut().zip(x).for_each(|(y, &x)| *y = row.xhat(x) * g + b);
    }
}

pub(super) fn row_norm_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let x: &[T] = args.input(0);
    let (gamma, beta) = (p.gamma(args, 1), p.beta(args, 2));
    let (y, offset, rstd): (&mut [T], &mut [T], &mut [T]) = (args.output(0), args.output(1), args.output(2));
    let [_, len] = p.sizes();
    let rows = y.par_chunks_exact_mut(len).zip(x.par_chunks_exact(len)).zip(offset).zip(rstd).enumerate();
    rows.run_by(p.rows_per_task(), |(i, (((y, x), offset), rstd))| {
        let origin = if p.centered == 1 { x[0] } else { T::zero() };
        let (mean, m2) = moments(p, x, origin);
        (*offset, *rstd) = (mean, p.rstd(m2));
        scale(p, p.first_channel(i), x, y, Row { origin, offset: mean, rstd: *rstd }, &gamma, &beta);
    });
}

pub(super) fn partial_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, partial): (&[T], &mut [T]) = (args.input(0), args.output(0));
    let (splits, part, [_, len]) = (p.splits as usize, p.part as usize, p.sizes());
    mirror::for_each_chunk(partial, 3, &|which, triple| {
        let (row, from) = (which / splits, (which % splits * part).min(len));
        let x_of_part = &x[row * len..][from..(from + part).min(len)];
        if x_of_part.is_empty() {
            return triple.fill(T::zero());
        }
        let (mean, m2) = moments(p, x_of_part, p.origin(x, row));
        triple.copy_from_slice(&[T::of(x_of_part.len() as f64), mean, T::of(m2)]);
    });
}

pub(super) fn stats_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (partial, offset, rstd): (&[T], &mut [T], &mut [T]) = (args.input(0), args.output(0), args.output(1));
    for (row, parts) in partial.chunks_exact(3 * p.splits as usize).enumerate() {
        let parts = || parts.chunks_exact(3).map(|m| -> [f64; 3] { [m[0].into(), m[1].into(), m[2].into()] });
        let count: f64 = parts().map(|[count, ..]| count).sum();
        let mean = parts().map(|[count, mean, _]| count * mean).sum::<f64>() / count;
        let m2 = parts().map(|[count, part, m2]| m2 + count * (part - mean) * (part - mean)).sum();
        (offset[row], rstd[row]) = (T::of(mean), p.rstd(m2));
    }
}

pub(super) fn apply_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let [x, offset, rstd]: [&[T]; 3] = [0, 3, 4].map(|i| args.input(i));
    let (gamma, beta, y) = (p.gamma(args, 1), p.beta(args, 2), args.output::<T>(0));
    let ([_, len], piece) = (p.sizes(), p.piece());
    mirror::for_each_chunk(y, len, &|i, y| {
        let (row, first) = (p.row(x, offset, rstd, i), p.first_channel(i));
        y.par_chunks_mut(piece).zip(x[i * len..][..len].par_chunks(piece)).enumerate().run(|(k, (y, x))| {
            scale(p, first + k * piece / p.inner as usize, x, y, row, &gamma, &beta);
        });
    });
}

/// The gradients of xhat, `g = dy * gamma`, of channels from `first` on: the sums of g and of g * (x - mean).
fn gradient_sums<T: Real>(p: Params, first: usize, x: &[T], dy: &[T], mean: f64, gamma: &[T]) -> [f64; 2] {
    const LANES: usize = 8;
    let inner = p.inner as usize;
    let (mut sum, mut product) = (0.0, 0.0);
    if inner > 1 {
        // A part of a row may begin and end within a channel.
        let mut at = 0;
        while at < x.len() {
            let (channel, run) = ((first + at) / inner, (inner - (first + at) % inner).min(x.len() - at));
            let (s, d) = mirror::sum_and_dot(&dy[at..at + run], &x[at..at + run], |x| x - mean);
            let g: f64 = gamma[channel].into();
            sum += g * s;
            product += g * d;
            at += run;
        }
        return [sum, product];
    }
    let gamma = &gamma[first..][..x.len()];
    let (mut sums, mut products) = ([0f64; LANES], [0f64; LANES]);
    let whole = x.len() / LANES * LANES;
    let add = |i: usize| -> [f64; 2] {
        let (dy, gamma, x): (f64, f64, f64) = (dy[i].into(), gamma[i].into(), x[i].into());
        [dy * gamma, dy * gamma * (x - mean)]
    };
    for block in (0..whole).step_by(LANES) {
        for lane in 0..LANES {
            let [s, d] = add(block + lane);
            sums[lane] += s;
            products[lane] += d;
        }
    }
    for i in whole..x.len() {
        let [s, d] = add(i);
        sum += s;
        product += d;
    }
    [sum + sums.iter().sum::<f64>(), product + products.iter().sum::<f64>()]
}

/// The means of g and of g * xhat over a row, from sums: none flows through a mean that was not taken away.
fn gradient_means<T: Real>(p: Params, sums: [f64; 2]) -> [T; 2] {
    let mean = if p.centered == 1 { sums[0] / f64::from(p.len) } else { 0.0 };
    [T::of(mean), T::of(sums[1] / f64::from(p.len))]
}

/// dx of a run of channels from `first` on.
fn descend<T: Real>(p: Params, first: usize, [x, dy]: [&[T]; 2], dx: &mut [T], row: Row<T>, means: [T; 2], gamma: &[T]) {
    let element = |x: T, g: T| row.rstd * (g - means[0] - row.xhat(x) * means[1]);
    if p.inner == 1 {
        let inputs = x.iter().zip(dy).zip(&gamma[first..]);
        dx.iter_mut().zip(inputs).for_each(|(dx, ((&x, &dy), &gamma))| *dx = element(x, dy * gamma));
        return;
    }
    let inner = p.inner as usize;
    let planes = dx.chunks_exact_mut(inner).zip(x.chunks_exact(inner)).zip(dy.chunks_exact(inner));
    for (((dx, x), dy), &gamma) in planes.zip(&gamma[first..]) {
        dx.iter_mut().zip(x.iter().zip(dy)).for_each(|(dx, (&x, &dy))| *dx = element(x, dy * gamma));
    }
}

pub(super) fn bwd_x_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let [x, dy, offset, rstd]: [&[T]; 4] = [0, 1, 3, 4].map(|i| args.input(i));
    let (gamma, dx) = (p.gamma(args, 2), args.output::<T>(0));
    let [_, len] = p.sizes();
    let rows = dx.par_chunks_exact_mut(len).zip(x.par_chunks_exact(len).zip(dy.par_chunks_exact(len))).enumerate();
    rows.run_by(p.rows_per_task(), |(i, (dx, (row_x, row_dy)))| {
        let (row, first) = (p.row(x, offset, rstd, i), p.first_channel(i));
        let [sum, product] = gradient_sums(p, first * p.inner as usize, row_x, row_dy, row.mean(), &gamma);
        let rstd: f64 = row.rstd.into();
        descend(p, first, [row_x, row_dy], dx, row, gradient_means(p, [sum, product * rstd]), &gamma);
    });
}

pub(super) fn bwd_partial_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let [x, dy, offset, rstd]: [&[T]; 4] = [0, 1, 3, 4].map(|i| args.input(i));
    let (gamma, partial) = (p.gamma(args, 2), args.output::<T>(0));
    let (splits, part, [_, len]) = (p.splits as usize, p.part as usize, p.sizes());
    mirror::for_each_chunk(partial, 2, &|which, sums| {
        let (i, from) = (which / splits, (which % splits * part).min(len));
        let (row, range) = (p.row(x, offset, rstd, i), i * len + from..i * len + (from + part).min(len));
        let first = p.first_channel(i) * p.inner as usize + from;
        let [sum, product] = gradient_sums(p, first, &x[range.clone()], &dy[range], row.mean(), &gamma);
        let rstd: f64 = row.rstd.into();
        sums.copy_from_slice(&[T::of(sum), T::of(product * rstd)]);
    });
}

pub(super) fn bwd_means_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (partial, means): (&[T], &mut [T]) = (args.input(0), args.output(0));
    for (means, parts) in means.chunks_exact_mut(2).zip(partial.chunks_exact(2 * p.splits as usize)) {
        let sum = |which: usize| parts.chunks_exact(2).map(|s| s[which].into()).sum::<f64>();
        means.copy_from_slice(&gradient_means(p, [sum(0), sum(1)]));
    }
}

pub(super) fn bwd_apply_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let [x, dy, offset, rstd, means]: [&[T]; 5] = [0, 1, 3, 4, 5].map(|i| args.input(i));
    let (gamma, dx) = (p.gamma(args, 2), args.output::<T>(0));
    let ([_, len], piece) = (p.sizes(), p.piece());
    mirror::for_each_chunk(dx, len, &|i, dx| {
        let (row, first, means) = (p.row(x, offset, rstd, i), p.first_channel(i), [means[2 * i], means[2 * i + 1]]);
        let inputs = x[i * len..][..len].par_chunks(piece).zip(dy[i * len..][..len].par_chunks(piece));
        dx.par_chunks_mut(piece).zip(inputs).enumerate().run(|(k, (dx, (x, dy)))| {
            descend(p, first + k * piece / p.inner as usize, [x, dy], dx, row, means, &gamma);
        });
    });
}

pub(super) fn bwd_w_columns_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let [x, dy, offset, rstd]: [&[T]; 4] = [0, 1, 2, 3].map(|i| args.input(i));
    let (groups, splits, part, [rows, len]) = (p.groups as usize, p.splits as usize, p.part as usize, p.sizes());
    let c = p.c as usize;
    let of_part = |s: usize| {
        let mut sums = [vec![0f64; c], vec![0f64; c]];
        for i in (s * part * groups).min(rows)..((s + 1) * part * groups).min(rows) {
            let (row, first) = (p.row(x, offset, rstd, i), p.first_channel(i));
            let (mean, rstd): (f64, f64) = (row.mean(), row.rstd.into());
            let [sum, product] = sums.each_mut().map(|s| &mut s[first..first + len]);
            let inputs = x[i * len..].iter().zip(&dy[i * len..]);
            for ((sum, product), (&x, &dy)) in sum.iter_mut().zip(product).zip(inputs) {
                let (x, dy): (f64, f64) = (x.into(), dy.into());
                *sum += dy;
                *product += dy * ((x - mean) * rstd);
            }
        }
        sums
    };
    let parts: Vec<[Vec<f64>; 2]> = each(0..splits).gather(of_part);
    for (which, sums) in args.output::<T>(0).chunks_exact_mut(2).enumerate() {
        let [sum, product] = &parts[which % splits];
        sums.copy_from_slice(&[T::of(sum[which / splits]), T::of(product[which / splits])]);
    }
}

pub(super) fn bwd_w_planes_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let [x, dy, offset, rstd]: [&[T]; 4] = [0, 1, 2, 3].map(|i| args.input(i));
    let (c, inner, splits, part) = (p.c as usize, p.inner as usize, p.splits as usize, p.part as usize);
    mirror::for_each_chunk(args.output::<T>(0), 2, &|which, sums| {
        let (channel, from) = (which / splits, which % splits * part);
        let (mut sum, mut product) = (0.0, 0.0);
        mirror::for_each_run(c, inner, channel, from, (from + part).min(p.n as usize * inner), |run| {
            let row = p.row(x, offset, rstd, run.start / p.len as usize);
            let mean = row.mean();
            let (s, d) = mirror::sum_and_dot(&dy[run.clone()], &x[run], |x| x - mean);
            let rstd: f64 = row.rstd.into();
            sum += s;
            product += d * rstd;
        });
        sums.copy_from_slice(&[T::of(sum), T::of(product)]);
    });
}

pub(super) fn bwd_w_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (partial, dgamma, dbeta): (&[T], &mut [T], &mut [T]) = (args.input(0), args.output(0), args.output(1));
    for (k, parts) in partial.chunks_exact(2 * p.splits as usize).enumerate() {
        let sum = |which: usize| T::of(parts.chunks_exact(2).map(|s| s[which].into()).sum::<f64>());
        (dgamma[k], dbeta[k]) = (sum(1), sum(0));
    }
}

pub(super) fn running_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let [x, offset, rstd]: [&[T]; 3] = [0, 1, 2].map(|i| args.input(i));
    let (running_mean, running_var): (&mut [T], &mut [T]) = (args.output(0), args.output(1));
    let (n, c, len) = (p.n as usize, p.c as usize, f64::from(p.len));
    for channel in 0..c {
        let rows = || (0..n).map(|sample| p.row(x, offset, rstd, sample * c + channel));
        let mean = rows().map(|row| row.mean()).sum::<f64>() / n as f64;
        let variance = |row: Row<T>| {
            let rstd: f64 = row.rstd.into();
            1.0 / (rstd * rstd) - f64::from(p.eps)
        };
        let var = (rows().map(variance).sum::<f64>() / n as f64).max(0.0) * (len / (len - 1.0).max(1.0));
        running_mean[channel] += T::of(p.momentum) * (T::of(mean) - running_mean[channel]);
        running_var[channel] += T::of(p.momentum) * (T::of(var) - running_var[channel]);
    }
}
