//! The mirrors: one walk over rows of `y` and taps of the window, along which inner loops vectorise.

use super::Params;
use crate::kernel::Args;
use crate::mirror;
use rayon::prelude::*;

/// A row of windows under one tap: windows `q0..q0 + len` meet the elements `from, from + stride, ..` of a plane.
struct TapRow {
    q0: usize,
    len: usize,
    from: usize,
}

impl Params {
    /// Calls `f` for each tap of the windows of row `p`, in the order in which the first maximum wins.
    #[inline]
    fn for_each_tap(&self, p: usize, mut f: impl FnMut(TapRow)) {
        let (h, w, q) = (self.h as usize, self.w as usize, self.q as usize);
        let (sh, sw, ph, pw) = (self.sh as usize, self.sw as usize, self.ph as usize, self.pw as usize);
        for r in 0..self.kh as usize {
            let Some(i) = (p * sh + r).checked_sub(ph).filter(|&i| i < h) else { continue };
            for s in 0..self.kw as usize {
                // Windows q with pw <= q * sw + s < w + pw.
                let q0 = pw.saturating_sub(s).div_ceil(sw);
                let end = (w + pw).saturating_sub(s).div_ceil(sw).min(q);
                if q0 < end {
                    f(TapRow { q0, len: end - q0, from: i * w + q0 * sw + s - pw });
                }
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

/// Elements `0, S, 2 * S, ..` of `x` with each of `y`: loops over a stride that is known vectorise.
#[inline]
fn strided<const S: usize, T>(x: &[f32], y: &mut [T], mut f: impl FnMut(usize, f32, &mut T)) {
    let (blocks, _) = x.as_chunks::<S>();
    let whole = blocks.len().min(y.len());
    for (q, (x, y)) in blocks.iter().zip(y.iter_mut()).enumerate() {
        f(q, x[0], y);
    }
    for (q, y) in y.iter_mut().enumerate().skip(whole) {
        f(q, x[q * S], y);
    }
}

#[inline]
fn with_stride<T>(stride: u32, x: &[f32], y: &mut [T], mut f: impl FnMut(usize, f32, &mut T)) {
    match stride {
        1 => strided::<1, T>(x, y, f),
        2 => strided::<2, T>(x, y, f),
        _ => y.iter_mut().enumerate().for_each(|(q, y)| f(q, x[q * stride as usize], y)),
    }
}

pub(super) fn max_pool2d_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, y, indices): (&[f32], &mut [f32], &mut [u32]) = (args.input(0), args.output(0), args.output(1));
    let planes = (mirror::CHUNK / p.in_plane()).max(1);
    let (of_x, of_y) = (planes * p.in_plane(), planes * p.out_plane());
    y.par_chunks_mut(of_y).zip(indices.par_chunks_mut(of_y)).zip(x.par_chunks(of_x)).for_each(|((y, indices), x)| {
        let mut row = vec![(0f32, 0u32); p.q as usize];
        for (number, (y, indices)) in y.chunks_exact_mut(row.len()).zip(indices.chunks_exact_mut(row.len())).enumerate() {
            let (plane, at) = (number / p.p as usize, number % p.p as usize);
            let x = &x[plane * p.in_plane()..][..p.in_plane()];
            max_pool2d_row(&p, x, at, &mut row);
            for ((y, i), &(value, at)) in y.iter_mut().zip(indices).zip(&row) {
                (*y, *i) = (value, at);
            }
        }
    });
}

/// Row `at` of the pooled plane: each maximum with its place.
fn max_pool2d_row(p: &Params, x: &[f32], at: usize, row: &mut [(f32, u32)]) {
    // Even where all are -inf, the first element of the window (cut to the plane) is the maximum.
    let top = (at as u32 * p.sh).saturating_sub(p.ph);
    for (q, best) in row.iter_mut().enumerate() {
        *best = (f32::NEG_INFINITY, top * p.w + (q as u32 * p.sw).saturating_sub(p.pw));
    }
    p.for_each_tap(at, |tap| {
        with_stride(p.sw, &x[tap.from..], &mut row[tap.q0..][..tap.len], |q, v, best| {
            let wins = v > best.0 || v.is_nan();
            *best = if wins { (v, tap.from as u32 + q as u32 * p.sw) } else { *best };
        });
    });
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
    let scale = 1.0 / (p.kh * p.kw) as f32;
    mirror::for_each_plane(y, p.out_plane(), |plane, y| {
        let x = &x[plane * p.in_plane()..][..p.in_plane()];
        for (row, y) in y.chunks_exact_mut(p.q as usize).enumerate() {
            y.fill(0.0);
            p.for_each_tap(row, |tap| {
                with_stride(p.sw, &x[tap.from..], &mut y[tap.q0..][..tap.len], |_, v, y| *y += v);
            });
            y.iter_mut().for_each(|y| *y *= scale);
        }
    });
}

pub(super) fn avg_pool2d_bwd_x_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (dy, dx): (&[f32], &mut [f32]) = (args.input(0), args.output(0));
    let scale = 1.0 / (p.kh * p.kw) as f32;
    mirror::for_each_plane(dx, p.in_plane(), |plane, dx| {
        dx.fill(0.0);
        for (row, dy) in dy[plane * p.out_plane()..][..p.out_plane()].chunks_exact(p.q as usize).enumerate() {
            p.for_each_tap(row, |tap| {
                let places = dx[tap.from..].iter_mut().step_by(p.sw as usize);
                places.zip(&dy[tap.q0..][..tap.len]).for_each(|(dx, dy)| *dx += dy * scale);
            });
        }
    });
}
