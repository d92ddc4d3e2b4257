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

    /// Calls `f` with the number of each window of a plane and the window.
    #[inline(always)]
    fn each(&self, mut f: impl FnMut(usize, Window<'_>)) {
        let mut number = 0;
        for rows in &self.rows {
            for columns in &self.columns {
                f(number, Window { rows, columns, row: self.row });
                number += 1;
            }
        }
    }
}

struct Window<'a> {
    rows: &'a Range<usize>,
    columns: &'a Range<usize>,
    row: usize,
}

impl Window<'_> {
    /// The runs of the plane's elements that make it up.
    fn runs(&self) -> impl Iterator<Item = Range<usize>> {
        self.rows.clone().map(|r| r * self.row + self.columns.start..r * self.row + self.columns.end)
    }

    fn size(&self) -> usize {
        self.rows.len() * self.columns.len()
    }
}

pub(super) fn adaptive_avg_pool2d_cpu<T: Real>(args: &mut Args<'_>) {
    let g = Windows::of(args);
    let (x, y): (&[T], &mut [T]) = (args.input(0), args.output(0));
    mirror::for_each_plane(y, g.out_plane(), |plane, y| {
        let x = &x[plane * g.in_plane..][..g.in_plane];
        g.each(|o, window| {
            let sum: f64 = window.runs().map(|run| mirror::sum_by(&x[run], |v| v)).sum();
            y[o] = T::of(sum / window.size() as f64);
        });
    });
}

pub(super) fn adaptive_avg_pool2d_bwd_x_cpu<T: Real>(args: &mut Args<'_>) {
    let g = Windows::of(args);
    let (dy, dx): (&[T], &mut [T]) = (args.input(0), args.output(0));
    mirror::for_each_plane(dx, g.in_plane, |plane, dx| {
        dx.fill(T::zero());
        let dy = &dy[plane * g.out_plane()..];
        g.each(|o, window| {
            let share = dy[o] / T::of(window.size() as f64);
            window.runs().for_each(|run| dx[run].iter_mut().for_each(|dx| *dx += share));
        });
    });
}

pub(super) fn adaptive_max_pool2d_cpu<T: Real>(args: &mut Args<'_>) {
    let g = Windows::of(args);
    let (x, y, indices): (&[T], &mut [T], &mut [u32]) = (args.input(0), args.output(0), args.output(1));
    let planes = y.par_chunks_mut(g.out_plane()).zip(indices.par_chunks_mut(g.out_plane())).zip(x.par_chunks(g.in_plane));
    planes.run(|((y, indices), x)| {
        g.each(|o, window| {
            let (mut best, mut at) = (T::neg_infinity(), window.rows.start * g.row + window.columns.start);
            for run in window.runs() {
                for (i, &v) in run.clone().zip(&x[run]) {
                    // Strictly greater: the first maximum wins.
                    if v > best || v.is_nan() {
                        (best, at) = (v, i);
                    }
                }
            }
            (y[o], indices[o]) = (best, at as u32);
        });
    });
}

pub(super) fn adaptive_max_pool2d_bwd_x_cpu<T: Real>(args: &mut Args<'_>) {
    let g = Windows::of(args);
    let spans = mirror::Spans { rows: &g.rows, columns: &g.columns, width: g.row };
    mirror::add_at::<T>(args.input(0), args.input(1), args.output(0), g.in_plane, &spans);
}
