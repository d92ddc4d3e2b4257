//! The mirrors: the same two stages, with sums in f64 and each part of a channel read twice while it is in cache.

use super::Params;
use crate::kernel::Args;
use crate::mirror;
use rayon::prelude::*;
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

    fn rstd(&self, spread: f32) -> f32 {
        if self.is_eval == 1 { 1.0 / (spread + self.eps).sqrt() } else { spread }
    }
}

pub(super) fn partial_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, partial): (&[f32], &mut [f32]) = (args.input(0), args.output(0));
    partial.par_chunks_exact_mut(4).enumerate().for_each(|(which, moments)| {
        // Means are counted from the channel's first element: a large one then rounds only once.
        let origin = x[which / p.splits as usize * p.inner as usize];
        let (mut count, mut sum, mut m2) = (0, 0.0, 0.0);
        p.for_each_run(which, |run| {
            count += run.len();
            sum += mirror::sum_by(&x[run], |v| v);
        });
        let mean = (sum / count.max(1) as f64 - f64::from(origin)) as f32;
        let center = f64::from(origin) + f64::from(mean);
        p.for_each_run(which, |run| m2 += mirror::sum_by(&x[run], |v| (v - center) * (v - center)));
        moments.copy_from_slice(&[count as f32, mean, m2 as f32, origin]);
    });
}

pub(super) fn stats_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (partial, mean, rstd): (&[f32], &mut [f32], &mut [f32]) = (args.input(0), args.output(0), args.output(1));
    let (running_mean, running_var): (&mut [f32], &mut [f32]) = (args.output(2), args.output(3));
    for (c, parts) in partial.chunks_exact(4 * p.splits as usize).enumerate() {
        let origin = f64::from(parts[3]);
        let parts = || parts.chunks_exact(4).map(|m| (f64::from(m[0]), f64::from(m[1]), f64::from(m[2])));
        let count: f64 = parts().map(|(count, ..)| count).sum();
        let m: f64 = parts().map(|(count, m, _)| count * m).sum::<f64>() / count;
        let m2: f64 = parts().map(|(count, part, m2)| m2 + count * (part - m) * (part - m)).sum();
        let m = origin + m;
        (mean[c], rstd[c]) = (m as f32, (1.0 / (m2 / count + f64::from(p.eps)).sqrt()) as f32);
        let towards = |running: &mut f32, batch: f64| *running += p.momentum * (batch as f32 - *running);
        towards(&mut running_mean[c], m);
        towards(&mut running_var[c], m2 / (count - 1.0).max(1.0));
    }
}

pub(super) fn apply_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, y): (&[f32], &mut [f32]) = (args.input(0), args.output(0));
    let [gamma, beta, mean, spread]: [&[f32]; 4] = [1, 2, 3, 4].map(|i| args.input(i));
    let (c, inner) = (p.c as usize, p.inner as usize);
    let factor: Vec<f32> = gamma.iter().zip(spread).map(|(gamma, &s)| p.rstd(s) * gamma).collect();
    if inner == 1 {
        mirror::for_each_plane(y, c, |n, y| {
            let of_channels = mean.iter().zip(&factor).zip(beta);
            y.iter_mut().zip(&x[n * c..]).zip(of_channels).for_each(|((y, x), ((m, f), b))| *y = (x - m) * f + b);
        });
    } else {
        mirror::for_each_plane(y, inner, |plane, y| {
            let (m, f, b) = (mean[plane % c], factor[plane % c], beta[plane % c]);
            y.iter_mut().zip(&x[plane * inner..]).for_each(|(y, x)| *y = (x - m) * f + b);
        });
    }
}

pub(super) fn bwd_partial_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, dy, mean): (&[f32], &[f32], &[f32]) = (args.input(0), args.input(2), args.input(4));
    args.output::<f32>(0).par_chunks_exact_mut(2).enumerate().for_each(|(which, sums)| {
        let m = f64::from(mean[which / p.splits as usize]);
        let (mut sum, mut product) = (0.0, 0.0);
        p.for_each_run(which, |run| {
            let (s, d) = mirror::sum_and_dot(&dy[run.clone()], &x[run], |x| x - m);
            sum += s;
            product += d;
        });
        sums.copy_from_slice(&[sum as f32, product as f32]);
    });
}

pub(super) fn bwd_sums_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (spread, partial): (&[f32], &[f32]) = (args.input(0), args.input(1));
    let (dgamma, dbeta): (&mut [f32], &mut [f32]) = (args.output(0), args.output(1));
    for (c, parts) in partial.chunks_exact(2 * p.splits as usize).enumerate() {
        let sum = |which: usize| parts.chunks_exact(2).map(|s| f64::from(s[which])).sum::<f64>();
        dgamma[c] = (sum(1) * f64::from(p.rstd(spread[c]))) as f32;
        dbeta[c] = sum(0) as f32;
    }
}

pub(super) fn bwd_x_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, dy, dx): (&[f32], &[f32], &mut [f32]) = (args.input(0), args.input(1), args.output(0));
    let [gamma, mean, spread, dgamma, dbeta]: [&[f32]; 5] = [2, 3, 4, 5, 6].map(|i| args.input(i));
    let (c, inner) = (p.c as usize, p.inner as usize);
    // dx = factor * (dy - base - slope * (x - mean))
    let of_channel = |c: usize| {
        let rstd = p.rstd(spread[c]);
        [mean[c], gamma[c] * rstd, dbeta[c] * p.inverse_count, dgamma[c] * rstd * p.inverse_count]
    };
    let of_channels: Vec<[f32; 4]> = (0..c).map(of_channel).collect();
    let element = |[mean, factor, base, slope]: [f32; 4], x: f32, dy: f32| factor * (dy - base - slope * (x - mean));
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
