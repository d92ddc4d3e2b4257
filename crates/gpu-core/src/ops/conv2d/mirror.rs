//! The mirrors: im2col of a few output rows at a time, small enough for the cache, and a matrix product through the `gemm` crate.

use super::layout::Layout;
use crate::audited::{Into, MatRef, gemm};
use crate::mirror::{self, Real};
use rayon::prelude::*;
use std::ops::Range;

/// Elements of the column buffer that a thread works on: about half of a core's second-level cache.
const COLUMNS: usize = 64 * 1024;
/// Elements of all partial weight gradients together.
const PARTIALS: usize = 16 << 20;

impl Layout {
    /// Output rows per block, so that the columns of a block stay in the cache.
    fn block_rows(&self) -> usize {
        (COLUMNS / (self.terms() * self.q).max(1)).clamp(1, self.p.max(1))
    }

    fn blocks(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (rows, p) = (self.block_rows(), self.p);
        (0..p).step_by(rows).map(move |p0| p0..(p0 + rows).min(p))
    }

    /// For each tap row of the columns and each output row of the block: the tap's row index in the columns, the place in the
    /// block's columns, and the input's row, or `None` in the padding.
    fn walk(&self, rows: &Range<usize>, mut f: impl FnMut(usize, usize, Option<(usize, usize)>)) {
        for c in 0..self.group_c() {
            for r in 0..self.r {
                for s in 0..self.s {
                    let tap = (c * self.r + r) * self.s + s;
                    for (i, p) in rows.clone().enumerate() {
                        let h = (p * self.stride[0] + r * self.dilation[0]).checked_sub(self.padding[0]);
                        let from = h.filter(|&h| h < self.h).map(|h| ((c * self.h + h) * self.w, s));
                        f(tap, i * self.q, from);
                    }
                }
            }
        }
    }

    /// The output columns that read inside the input through tap column `s`, and where the first of them reads.
    fn inside(&self, s: usize) -> (Range<usize>, usize) {
        let (stride, padding, at) = (self.stride[1], self.padding[1], s * self.dilation[1]);
        let first = padding.saturating_sub(at).div_ceil(stride).min(self.q);
        let end = (self.w + padding).saturating_sub(at).div_ceil(stride).clamp(first, self.q);
        (first..end, (first * stride + at).saturating_sub(padding))
    }
}

/// `columns[tap, pixel]` of the block's rows, from the planes of one image's group.
fn im2col_block<T: Real>(l: &Layout, x: &[T], rows: &Range<usize>, columns: &mut Vec<T>) {
    let width = rows.len() * l.q;
    columns.resize(l.terms() * width, T::zero());
    l.walk(rows, |tap, at, from| {
        let out = &mut columns[tap * width + at..][..l.q];
        let Some((row, s)) = from else { return out.fill(T::zero()) };
        let (inside, w) = l.inside(s);
        out[..inside.start].fill(T::zero());
        out[inside.end..].fill(T::zero());
        let out = &mut out[inside];
        if out.is_empty() {
            return;
        }
        match l.stride[1] {
            1 => out.copy_from_slice(&x[row + w..][..out.len()]),
            stride => out.iter_mut().zip(x[row + w..].iter().step_by(stride)).for_each(|(o, v)| *o = *v),
        }
    });
}

/// Adds the block's columns back to where they came from.
fn col2im_block<T: Real>(l: &Layout, columns: &[T], rows: &Range<usize>, dx: &mut [T]) {
    let width = rows.len() * l.q;
    l.walk(rows, |tap, at, from| {
        let Some((row, s)) = from else { return };
        let (inside, w) = l.inside(s);
        let columns = &columns[tap * width + at..][inside];
        if columns.is_empty() {
            return;
        }
        match l.stride[1] {
            1 => dx[row + w..][..columns.len()].iter_mut().zip(columns).for_each(|(d, &v)| *d += v),
            stride => dx[row + w..].iter_mut().step_by(stride).zip(columns).for_each(|(d, &v)| *d += v),
        }
    });
}

/// y = conv(x, w) + bias.
pub(super) fn forward<T: Real>(l: &Layout, x: &[T], w: &[T], bias: Option<&[T]>, y: &mut [T]) {
    let (pixels, terms, group_k) = (l.p * l.q, l.terms(), l.group_k());
    let images = y.par_chunks_mut((l.k * pixels).max(1)).zip(x.par_chunks((l.c * l.h * l.w).max(1)));
    images.for_each_init(Vec::new, |columns, (y, x)| {
        for group in 0..l.groups {
            let x = &x[group * l.group_c() * l.h * l.w..];
            let w = MatRef { data: &w[group * group_k * terms..][..group_k * terms], row: terms, col: 1 };
            for rows in l.blocks() {
                im2col_block(l, x, &rows, columns);
                let width = rows.len() * l.q;
                let y = &mut y[group * group_k * pixels + rows.start * l.q..];
                gemm((group_k, width, terms), w, MatRef { data: columns, row: width, col: 1 }, y, pixels, Into::Replace, 1);
            }
        }
        if let Some(bias) = bias {
            y.chunks_mut(pixels).zip(bias).for_each(|(plane, &b)| plane.iter_mut().for_each(|v| *v += b));
        }
    });
}

/// dx of the convolution; with a bias, the forward pass of a transposed one.
pub(super) fn backward_x<T: Real>(l: &Layout, dy: &[T], w: &[T], bias: Option<&[T]>, dx: &mut [T]) {
    let (pixels, terms, group_k, plane) = (l.p * l.q, l.terms(), l.group_k(), l.h * l.w);
    let images = dx.par_chunks_mut((l.c * plane).max(1)).zip(dy.par_chunks((l.k * pixels).max(1)));
    images.for_each_init(Vec::new, |columns: &mut Vec<T>, (dx, dy)| {
        match bias {
            Some(bias) => dx.chunks_mut(plane).zip(bias).for_each(|(plane, b)| plane.fill(*b)),
            None => dx.fill(T::zero()),
        }
        for group in 0..l.groups {
            let dx = &mut dx[group * l.group_c() * plane..][..l.group_c() * plane];
            // w transposed: taps by output channels.
            let w = MatRef { data: &w[group * group_k * terms..][..group_k * terms], row: 1, col: terms };
            for rows in l.blocks() {
                let width = rows.len() * l.q;
                columns.resize(terms * width, T::zero());
                let dy = MatRef { data: &dy[group * group_k * pixels + rows.start * l.q..], row: pixels, col: 1 };
                gemm((terms, width, group_k), w, dy, columns, width, Into::Replace, 1);
                col2im_block(l, columns, &rows, dx);
            }
        }
    });
}

/// dw: runs of images make a partial sum each, and the partials are added in order, so that the bits do not depend on the threads.
pub(super) fn backward_w<T: Real>(l: &Layout, x: &[T], dy: &[T], dw: &mut [T]) {
    let runs = (PARTIALS / dw.len().max(1)).clamp(1, 32);
    let images = l.n.div_ceil(runs).max(1);
    let (x_run, dy_run) = (images * l.c * l.h * l.w, images * l.k * l.p * l.q);
    let partials: Vec<Vec<T>> =
        x.par_chunks(x_run.max(1)).zip(dy.par_chunks(dy_run.max(1))).map(|(x, dy)| partial_w(l, x, dy)).collect();
    dw.fill(T::zero());
    for partial in &partials {
        dw.iter_mut().zip(partial).for_each(|(d, &v)| *d += v);
    }
}

fn partial_w<T: Real>(l: &Layout, x: &[T], dy: &[T]) -> Vec<T> {
    let (pixels, terms, group_k) = (l.p * l.q, l.terms(), l.group_k());
    let (mut dw, mut columns) = (vec![T::zero(); l.k * terms], Vec::new());
    for (x, dy) in x.chunks(l.c * l.h * l.w).zip(dy.chunks(l.k * pixels)) {
        for group in 0..l.groups {
            let x = &x[group * l.group_c() * l.h * l.w..];
            let dw = &mut dw[group * group_k * terms..][..group_k * terms];
            for rows in l.blocks() {
                im2col_block(l, x, &rows, &mut columns);
                let width = rows.len() * l.q;
                let dy = MatRef { data: &dy[group * group_k * pixels + rows.start * l.q..], row: pixels, col: 1 };
                // The columns transposed: pixels by taps.
                gemm((group_k, terms, width), dy, MatRef { data: &columns, row: 1, col: width }, dw, terms, Into::Add, 1);
            }
        }
    }
    dw
}

/// The whole im2col of one plane after the other: `columns[n, c, (r,s), (p,q)]`, without groups.
pub(super) fn im2col<T: Real>(l: &Layout, x: &[T], columns: &mut [T]) {
    let one = Layout { c: 1, k: 1, n: 1, groups: 1, ..*l };
    let out = columns.par_chunks_mut((l.taps() * l.p * l.q).max(1));
    out.zip(x.par_chunks((l.h * l.w).max(1))).for_each_init(Vec::new, |block, (out, plane)| {
        im2col_block(&one, plane, &(0..l.p), block);
        out.copy_from_slice(block);
    });
}

/// The sum of [`im2col`]'s columns back into planes.
pub(super) fn col2im<T: Real>(l: &Layout, columns: &[T], x: &mut [T]) {
    let one = Layout { c: 1, k: 1, n: 1, groups: 1, ..*l };
    let planes = x.par_chunks_mut((l.h * l.w).max(1));
    planes.zip(columns.par_chunks((l.taps() * l.p * l.q).max(1))).for_each(|(plane, columns)| {
        plane.fill(T::zero());
        col2im_block(&one, columns, &(0..l.p), plane);
    });
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

/// y of a depthwise convolution: one plane after the other, a whole row of outputs for each tap.
pub(super) fn depthwise_forward<T: Real>(l: &Layout, x: &[T], w: &[T], bias: Option<&[T]>, y: &mut [T]) {
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
pub(super) fn depthwise_backward_x<T: Real>(l: &Layout, dy: &[T], w: &[T], bias: Option<&[T]>, dx: &mut [T]) {
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
pub(super) fn depthwise_backward_w<T: Real>(l: &Layout, pixels_per_split: usize, x: &[T], dy: &[T], dw: &mut [T]) {
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
