//! The mirrors: plane by plane, windows in rows.

use super::params::Params;
use crate::kernel::Args;
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSlice, ParallelSliceMut};
use crate::mirror::{self, Real};
use std::ops::Range;

/// Each part of an axis.
fn parts(extent: u32, parts: u32) -> Vec<Range<usize>> {
    let (extent, parts) = (extent as usize, parts as usize);
    (0..parts).map(|i| i * extent / parts..((i + 1) * extent).div_ceil(parts)).collect()
}

/// A pooling as a launch carries it.
struct Windows {
    rows: Vec<Range<usize>>,
    columns: Vec<Range<usize>>,
    /// Elements of a row of x.
    row: usize,
    in_plane: usize,
}

impl Windows {
    fn of(args: &Args<'_>) -> Self {
        let p: Params = args.params();
        let (row, in_plane) = (p.w as usize, p.h as usize * p.w as usize);
        Self { rows: parts(p.h, p.p), columns: parts(p.w, p.q), row, in_plane }
    }

    fn out_plane(&self) -> usize {
        self.rows.len() * self.columns.len()
    }

    /// The runs of a plane's elements that make up window `o`.
    fn runs(&self, o: usize) -> impl Iterator<Item = Range<usize>> {
        let (rows, columns) = (&self.rows[o / self.columns.len()], &self.columns[o % self.columns.len()]);
        rows.clone().map(move |r| r * self.row + columns.start..r * self.row + columns.end)
    }

    fn size(&self, o: usize) -> usize {
        self.rows[o / self.columns.len()].len() * self.columns[o % self.columns.len()].len()
    }
}

pub(super) fn adaptive_avg_pool2d_cpu<T: Real>(args: &mut Args<'_>) {
    let g = Windows::of(args);
    let (x, y): (&[T], &mut [T]) = (args.input(0), args.output(0));
    mirror::for_each_plane(y, g.out_plane(), |plane, y| {
        let x = &x[plane * g.in_plane..][..g.in_plane];
        for (o, y) in y.iter_mut().enumerate() {
            let sum: f64 = g.runs(o).map(|run| mirror::sum_by(&x[run], |v| v)).sum();
            *y = T::of(sum / g.size(o) as f64);
        }
    });
}

pub(super) fn adaptive_avg_pool2d_bwd_x_cpu<T: Real>(args: &mut Args<'_>) {
    let g = Windows::of(args);
    let (dy, dx): (&[T], &mut [T]) = (args.input(0), args.output(0));
    mirror::for_each_plane(dx, g.in_plane, |plane, dx| {
        dx.fill(T::zero());
        for (o, &dy) in dy[plane * g.out_plane()..][..g.out_plane()].iter().enumerate() {
            let share = dy / T::of(g.size(o) as f64);
            g.runs(o).for_each(|run| dx[run].iter_mut().for_each(|dx| *dx += share));
        }
    });
}

pub(super) fn adaptive_max_pool2d_cpu<T: Real>(args: &mut Args<'_>) {
    let g = Windows::of(args);
    let (x, y, indices): (&[T], &mut [T], &mut [u32]) = (args.input(0), args.output(0), args.output(1));
    let planes = y.par_chunks_mut(g.out_plane()).zip(indices.par_chunks_mut(g.out_plane())).zip(x.par_chunks(g.in_plane));
    planes.run(|((y, indices), x)| {
        for (o, (y, index)) in y.iter_mut().zip(indices).enumerate() {
            let (mut best, mut at) = (T::neg_infinity(), g.runs(o).next().map_or(0, |run| run.start));
            for (i, &v) in g.runs(o).flat_map(|run| run.clone().zip(&x[run])) {
                // Strictly greater: the first maximum wins.
                if v > best || v.is_nan() {
                    (best, at) = (v, i);
                }
            }
            (*y, *index) = (best, at as u32);
        }
    });
}

pub(super) fn adaptive_max_pool2d_bwd_x_cpu<T: Real>(args: &mut Args<'_>) {
    let g = Windows::of(args);
    let spans = mirror::Spans { rows: &g.rows, columns: &g.columns, width: g.row };
    mirror::add_at::<T>(args.input(0), args.input(1), args.output(0), g.in_plane, &spans);
}
