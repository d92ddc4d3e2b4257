//! Explicit columns: plane by plane, an output row at a time.

use super::Layout;
use crate::mirror::Real;
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSlice, ParallelSliceMut};
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
    planes.run(|(columns, x)| {
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
    planes.run(|(x, columns)| {
        x.fill(T::zero());
        for_each_row(l, |tap, y_row, x_at, inside, stride| {
            let columns = &columns[tap * l.p * l.q + y_row..][inside];
            x[x_at..].iter_mut().step_by(stride).zip(columns).for_each(|(x, &column)| *x += column);
        });
    });
}
