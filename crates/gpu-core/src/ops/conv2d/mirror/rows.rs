//! Mirrors that go plane by plane and an output row at a time: explicit columns, and depthwise convolutions.

use super::Layout;
use crate::mirror::{self, Real};
use rayon::prelude::*;
use std::ops::Range;

impl Layout {
    /// The output columns that read inside the input through tap column `s`, and where the first of them reads.
    fn inside(&self, s: usize) -> (Range<usize>, usize) {
        let (stride, padding, at) = (self.stride[1], self.padding[1], s * self.dilation[1]);
        let first = padding.saturating_sub(at).div_ceil(stride).min(self.q);
        let end = (self.w + padding).saturating_sub(at).div_ceil(stride).clamp(first, self.q);
        (first..end, (first * stride + at).saturating_sub(padding))
    }
}

/// For one filter: every tap with the output columns that it serves, and the input row that an output row reads through it.
fn for_each_row(l: &Layout, mut f: impl FnMut(usize, usize, usize, Range<usize>, usize)) {
    for r in 0..l.r {
        for s in 0..l.s {
            let (inside, w) = l.inside(s);
            for p in 0..l.p {
                let h = (p * l.stride[0] + r * l.dilation[0]).checked_sub(l.padding[0]);
                if let Some(h) = h.filter(|&h| h < l.h && !inside.is_empty()) {
                    f(r * l.s + s, p * l.q, h * l.w + w, inside.clone(), l.stride[1]);
                }
            }
        }
    }
}

/// The columns of one plane after the other: `columns[n, c, (r,s), (p,q)]`, without groups.
pub(in super::super) fn im2col<T: Real>(l: &Layout, x: &[T], columns: &mut [T]) {
    let planes = columns.par_chunks_mut((l.taps() * l.p * l.q).max(1)).zip(x.par_chunks((l.h * l.w).max(1)));
    planes.for_each(|(columns, x)| {
        columns.fill(T::zero());
        for_each_row(l, |tap, y_row, x_at, inside, stride| {
            let columns = &mut columns[tap * l.p * l.q + y_row..][inside];
            columns.iter_mut().zip(x[x_at..].iter().step_by(stride)).for_each(|(column, &x)| *column = x);
        });
    });
}

/// The sum of [`im2col`]'s columns back into planes.
pub(in super::super) fn col2im<T: Real>(l: &Layout, columns: &[T], x: &mut [T]) {
    let planes = x.par_chunks_mut((l.h * l.w).max(1)).zip(columns.par_chunks((l.taps() * l.p * l.q).max(1)));
    planes.for_each(|(x, columns)| {
        x.fill(T::zero());
        for_each_row(l, |tap, y_row, x_at, inside, stride| {
            let columns = &columns[tap * l.p * l.q + y_row..][inside];
            x[x_at..].iter_mut().step_by(stride).zip(columns).for_each(|(x, &column)| *x += column);
        });
    });
}

/// y of a depthwise convolution: one plane after the other, a whole row of outputs for each tap.
pub(in super::super) fn depthwise_forward<T: Real>(l: &Layout, x: &[T], w: &[T], bias: Option<&[T]>, y: &mut [T]) {
    let multiplier = l.k / l.c;
    mirror::for_each_chunk(y, (l.p * l.q).max(1), &|plane, y| {
        let (n, k) = (plane / l.k, plane % l.k);
        let x = &x[(n * l.c + k / multiplier) * l.h * l.w..][..l.h * l.w];
        let w = &w[k * l.taps()..][..l.taps()];
        y.fill(bias.map_or(T::zero(), |b| b[k]));
        for_each_row(l, |tap, y_row, x_at, inside, stride| {
            let (y, v) = (&mut y[y_row..][inside], w[tap]);
            match stride {
                1 => y.iter_mut().zip(&x[x_at..]).for_each(|(y, &x)| *y += v * x),
                _ => y.iter_mut().zip(x[x_at..].iter().step_by(stride)).for_each(|(y, &x)| *y += v * x),
            }
        });
    });
}

/// dx of a depthwise convolution; with a bias, the forward pass of a transposed one.
pub(in super::super) fn depthwise_backward_x<T: Real>(l: &Layout, dy: &[T], w: &[T], bias: Option<&[T]>, dx: &mut [T]) {
    let multiplier = l.k / l.c;
    mirror::for_each_chunk(dx, (l.h * l.w).max(1), &|plane, dx| {
        let (n, c) = (plane / l.c, plane % l.c);
        dx.fill(bias.map_or(T::zero(), |b| b[c]));
        for k in c * multiplier..(c + 1) * multiplier {
            let dy = &dy[(n * l.k + k) * l.p * l.q..][..l.p * l.q];
            let w = &w[k * l.taps()..][..l.taps()];
            for_each_row(l, |tap, y_row, x_at, inside, stride| {
                let (dy, v) = (&dy[y_row..][inside], w[tap]);
                match stride {
                    1 => dx[x_at..].iter_mut().zip(dy).for_each(|(x, &y)| *x += v * y),
                    _ => dx[x_at..].iter_mut().step_by(stride).zip(dy).for_each(|(x, &y)| *x += v * y),
                }
            });
        }
    });
}

/// The sum of products of two rows, in eight lanes that are added in order: it vectorises, and has one order.
fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    let mut lanes = [T::zero(); 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let tail: T = a8.remainder().iter().zip(b8.remainder()).map(|(&a, &b)| a * b).sum();
    for (a, b) in a8.zip(b8) {
        for i in 0..8 {
            lanes[i] += a[i] * b[i];
        }
    }
    lanes.iter().copied().sum::<T>() + tail
}

/// dw of a depthwise convolution, one partial for each run of `pixels_per_split` pixels of the batch (rows (split, k, taps)).
pub(in super::super) fn depthwise_backward_w<T: Real>(l: &Layout, pixels_per_split: usize, x: &[T], dy: &[T], dw: &mut [T]) {
    let (multiplier, plane, taps) = (l.k / l.c, l.p * l.q, l.taps());
    mirror::for_each_chunk(dw, taps, &|row, dw| {
        let (k, split) = (row % l.k, row / l.k);
        let pixels = split * pixels_per_split..((split + 1) * pixels_per_split).min(l.n * plane);
        let mut sums = vec![0f64; taps];
        for n in 0..l.n {
            let x = &x[(n * l.c + k / multiplier) * l.h * l.w..][..l.h * l.w];
            let dy = &dy[(n * l.k + k) * plane..][..plane];
            for_each_row(l, |tap, y_row, x_at, inside, stride| {
                // The part of this output row that lies in the split's run.
                let row = n * plane + y_row;
                let start = inside.start.max(pixels.start.saturating_sub(row));
                let end = inside.end.min(pixels.end.saturating_sub(row));
                if start >= end {
                    return;
                }
                let x = &x[x_at + (start - inside.start) * stride..];
                let dy = &dy[y_row + start..y_row + end];
                sums[tap] += match stride {
                    1 => dot(dy, &x[..dy.len()]).into(),
                    _ => dy.iter().zip(x.iter().step_by(stride)).map(|(&y, &x)| -> f64 { (y * x).into() }).sum(),
                };
            });
        }
        dw.iter_mut().zip(&sums).for_each(|(d, s)| *d = T::of(*s));
    });
}
