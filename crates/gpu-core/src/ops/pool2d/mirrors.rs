//! The mirrors: one walk over rows of `y` and taps of the window, along which inner loops vectorise.

use super::Params;
use crate::kernel::Args;
use crate::mirror;
use rayon::prelude::*;

/// The windows of a row that a column of taps meets: windows `q0..q0 + len` find it at columns `j, j + stride, ..` of the plane.
#[derive(Clone, Copy)]
struct Taps {
    q0: usize,
    len: usize,
    j: usize,
}

impl Params {
    /// For each column of the window, which windows of a row meet the plane there.
    fn columns(&self) -> Vec<Taps> {
        let (w, q, sw, pw) = (self.w as usize, self.q as usize, self.sw as usize, self.pw as usize);
        let of_column = |s: usize| {
            // Windows q with pw <= q * sw + s < w + pw.
            let q0 = pw.saturating_sub(s).div_ceil(sw);
            let end = (w + pw).saturating_sub(s).div_ceil(sw).min(q);
            (q0 < end).then(|| Taps { q0, len: end - q0, j: q0 * sw + s - pw })
        };
        (0..self.kw as usize).filter_map(of_column).collect()
    }

    /// Calls `f` for each tap of the windows of row `p`, with where in the plane its first window finds it, in the order in which the
    /// first maximum wins.
    #[inline]
    fn for_each_tap(&self, columns: &[Taps], p: usize, mut f: impl FnMut(Taps, usize)) {
        for r in 0..self.kh as usize {
            let i = (p * self.sh as usize + r).wrapping_sub(self.ph as usize);
            if i < self.h as usize {
                columns.iter().for_each(|&taps| f(taps, i * self.w as usize + taps.j));
            }
        }
    }

    fn in_plane(&self) -> usize {
        self.h as usize * self.w as usize
    }

    fn out_plane(&self) -> usize {
        self.p as usize * self.q as usize
    }
}

/// Calls `$f::<STRIDE>` for the strides that occur, so that their loops vectorise, and `$f::<0>` for any other.
macro_rules! with_stride {
    ($stride:expr, $f:ident($($arg:expr),*)) => {
        match $stride {
            1 => $f::<1>($($arg),*),
            2 => $f::<2>($($arg),*),
            3 => $f::<3>($($arg),*),
            _ => $f::<0>($($arg),*),
        }
    };
}

pub(super) fn max_pool2d_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, y, indices): (&[f32], &mut [f32], &mut [u32]) = (args.input(0), args.output(0), args.output(1));
    let (columns, row) = (p.columns(), p.q as usize);
    // Where the windows of a row begin, without and with padding.
    let steps: Vec<u32> = (0..p.q).map(|q| q * p.sw).collect();
    let lefts: Vec<u32> = steps.iter().map(|step| step.saturating_sub(p.pw)).collect();
    let planes = (mirror::CHUNK / p.in_plane()).max(1);
    let (of_x, of_y) = (planes * p.in_plane(), planes * p.out_plane());
    y.par_chunks_mut(of_y).zip(indices.par_chunks_mut(of_y)).zip(x.par_chunks(of_x)).for_each(|((y, indices), x)| {
        let mut met = vec![0f32; row];
        for (number, (y, indices)) in y.chunks_exact_mut(row).zip(indices.chunks_exact_mut(row)).enumerate() {
            let (plane, at) = (number / p.p as usize, number % p.p as usize);
            let x = &x[plane * p.in_plane()..][..p.in_plane()];
            // Even where all are -inf, the first element of the window (cut to the plane) is the maximum.
            let top = (at as u32 * p.sh).saturating_sub(p.ph) * p.w;
            y.fill(f32::NEG_INFINITY);
            indices.iter_mut().zip(&lefts).for_each(|(i, left)| *i = top + left);
            p.for_each_tap(&columns, at, |taps, from| {
                let (windows, met) = (taps.q0..taps.q0 + taps.len, &mut met[..taps.len]);
                with_stride!(p.sw, take_tap(&x[from..], met, p.sw));
                take_larger(met, from as u32, &steps, &mut y[windows.clone()], &mut indices[windows]);
            });
        }
    });
}

/// Elements `0, stride, 2 * stride, ..` of `x`.
#[inline]
fn take_tap<const STRIDE: usize>(x: &[f32], met: &mut [f32], stride: u32) {
    if STRIDE == 0 {
        x.iter().step_by(stride as usize).zip(met).for_each(|(v, met)| *met = *v);
    } else {
        // The last element may stand at the very end of `x`, without a whole stride after it.
        let last = met.len() - 1;
        x.chunks_exact(STRIDE).zip(&mut met[..last]).for_each(|(v, met)| *met = v[0]);
        met[last] = x[last * STRIDE];
    }
}

/// One tap of a row of windows: what it met, at `from + steps` in the plane. Apart from [`take_tap`] so that both vectorise.
#[inline]
fn take_larger(met: &[f32], from: u32, steps: &[u32], y: &mut [f32], indices: &mut [u32]) {
    for (((y, i), &v), step) in y.iter_mut().zip(indices).zip(met).zip(steps) {
        // By masks: of two choices the compiler makes a branch, which is taken at random.
        let wins = 0u32.wrapping_sub(u32::from(v > *y) | u32::from(v.is_nan()));
        *y = f32::from_bits((v.to_bits() & wins) | (y.to_bits() & !wins));
        *i = (from.wrapping_add(*step) & wins) | (*i & !wins);
    }
}

pub(super) fn max_pool2d_bwd_x_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (dy, indices, dx): (&[f32], &[u32], &mut [f32]) = (args.input(0), args.input(1), args.output(0));
    mirror::for_each_plane(dx, p.in_plane(), |plane, dx| {
        let mine = plane * p.out_plane()..(plane + 1) * p.out_plane();
        dx.fill(0.0);
        for (&dy, &at) in dy[mine.clone()].iter().zip(&indices[mine]) {
            dx[at as usize] += dy;
        }
    });
}

pub(super) fn avg_pool2d_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, y): (&[f32], &mut [f32]) = (args.input(0), args.output(0));
    let (columns, scale) = (p.columns(), 1.0 / (p.kh * p.kw) as f32);
    mirror::for_each_plane(y, p.out_plane(), |plane, y| {
        let x = &x[plane * p.in_plane()..][..p.in_plane()];
        for (row, y) in y.chunks_exact_mut(p.q as usize).enumerate() {
            y.fill(0.0);
            p.for_each_tap(&columns, row, |taps, from| {
                with_stride!(p.sw, add_tap(&x[from..], &mut y[taps.q0..][..taps.len], p.sw));
            });
            y.iter_mut().for_each(|y| *y *= scale);
        }
    });
}

#[inline]
fn add_tap<const STRIDE: usize>(x: &[f32], y: &mut [f32], stride: u32) {
    if STRIDE == 0 {
        x.iter().step_by(stride as usize).zip(y).for_each(|(v, y)| *y += v);
    } else {
        let last = y.len() - 1;
        x.chunks_exact(STRIDE).zip(&mut y[..last]).for_each(|(v, y)| *y += v[0]);
        y[last] += x[last * STRIDE];
    }
}

pub(super) fn avg_pool2d_bwd_x_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (dy, dx): (&[f32], &mut [f32]) = (args.input(0), args.output(0));
    let (columns, scale) = (p.columns(), 1.0 / (p.kh * p.kw) as f32);
    mirror::for_each_plane(dx, p.in_plane(), |plane, dx| {
        dx.fill(0.0);
        for (row, dy) in dy[plane * p.out_plane()..][..p.out_plane()].chunks_exact(p.q as usize).enumerate() {
            p.for_each_tap(&columns, row, |taps, from| {
                with_stride!(p.sw, spread_tap(&dy[taps.q0..][..taps.len], &mut dx[from..], scale, p.sw));
            });
        }
    });
}

#[inline]
fn spread_tap<const STRIDE: usize>(dy: &[f32], dx: &mut [f32], scale: f32, stride: u32) {
    if STRIDE == 0 {
        dx.iter_mut().step_by(stride as usize).zip(dy).for_each(|(dx, dy)| *dx += dy * scale);
    } else {
        let last = dy.len() - 1;
        dx.chunks_exact_mut(STRIDE).zip(&dy[..last]).for_each(|(dx, dy)| dx[0] += dy * scale);
        dx[last * STRIDE] += dy[last] * scale;
    }
}
