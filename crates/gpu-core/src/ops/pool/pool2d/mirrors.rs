//! The mirrors: one walk over rows of `y` and taps of the window, along which inner loops vectorise.

use super::geometry::{INSIDE, SCALE};
use super::params::Params;
use crate::kernel::Args;
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSlice, ParallelSliceMut};
use crate::mirror::{self, Real};
use std::ops::Range;

/// The windows of a row that a column of taps meets: windows `q0..q0 + len` find it at columns `j, j + stride, ..` of the plane.
#[derive(Clone, Copy)]
struct Taps {
    q0: usize,
    len: usize,
    j: usize,
}

/// The windows along one axis.
#[derive(Clone, Copy)]
struct Axis {
    extent: usize,
    windows: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
}

impl Axis {
    /// Where window `at` begins, or the first of its taps that does not lie before the input.
    fn first(&self, at: usize) -> usize {
        match (at * self.stride).checked_sub(self.padding) {
            Some(start) => start,
            None => (self.padding - at * self.stride).div_ceil(self.dilation) * self.dilation + at * self.stride - self.padding,
        }
    }

    /// For each window, the places from its first to its last tap that lie in the input.
    fn spans(&self) -> Vec<Range<usize>> {
        let last = |start: usize| start + (self.kernel - 1) * self.dilation;
        let end = |start: usize| (last(start) + 1).saturating_sub(self.padding).min(self.extent);
        (0..self.windows).map(|at| at * self.stride).map(|start| start.saturating_sub(self.padding)..end(start)).collect()
    }

    /// How many taps of window `at` a mean counts.
    fn counted(&self, at: usize, inside: bool) -> usize {
        let (start, end) = (at * self.stride, self.extent + self.padding + if inside { 0 } else { self.padding });
        let last = end.saturating_sub(start).div_ceil(self.dilation).min(self.kernel);
        last - if inside { self.padding.saturating_sub(start).div_ceil(self.dilation) } else { 0 }
    }
}

/// A pooling as a launch carries it.
struct Windows {
    rows: Axis,
    columns: Axis,
    /// For each column of taps, which windows of a row meet the plane there.
    taps: Vec<Taps>,
    count: u32,
    scale: f32,
}

impl Windows {
    fn of(args: &Args<'_>) -> Self {
        let p: Params = args.params();
        let axis = |extent: u32, windows: u32, [kernel, stride, padding, dilation]: [&str; 4]| {
            let [kernel, stride, padding, dilation] = [kernel, stride, padding, dilation].map(|name| args.constant(name) as usize);
            Axis { extent: extent as usize, windows: windows as usize, kernel, stride, padding, dilation }
        };
        let (rows, columns) = (axis(p.h, p.p, ["KH", "SH", "PH", "DH"]), axis(p.w, p.q, ["KW", "SW", "PW", "DW"]));
        let of_column = |s: usize| {
            let Axis { extent, windows, stride, padding, dilation, .. } = columns;
            // Windows q with padding <= q * stride + s * dilation < extent + padding.
            let q0 = padding.saturating_sub(s * dilation).div_ceil(stride);
            let end = (extent + padding).saturating_sub(s * dilation).div_ceil(stride).min(windows);
            (q0 < end).then(|| Taps { q0, len: end - q0, j: q0 * stride + s * dilation - padding })
        };
        let taps = (0..columns.kernel).filter_map(of_column).collect();
        Self { rows, columns, taps, count: args.constant("COUNT"), scale: p.scale }
    }

    /// Calls `f` for each tap of the windows of row `p`, with where in the plane its first window finds it, in the order in which the
    /// first maximum wins.
    #[inline]
    fn for_each_tap(&self, p: usize, mut f: impl FnMut(Taps, usize)) {
        for r in 0..self.rows.kernel {
            let i = (p * self.rows.stride + r * self.rows.dilation).wrapping_sub(self.rows.padding);
            if i < self.rows.extent {
                self.taps.iter().for_each(|&taps| f(taps, i * self.columns.extent + taps.j));
            }
        }
    }

    /// What each window of a plane is multiplied by for a mean.
    fn weights<T: Real>(&self) -> Vec<T> {
        let count = |axis: &Axis, at: usize| axis.counted(at, self.count == INSIDE);
        let of = |o: usize| match self.count {
            SCALE => T::of(self.scale),
            _ => {
                T::one()
                    / T::of((count(&self.rows, o / self.columns.windows) * count(&self.columns, o % self.columns.windows)) as f64)
            }
        };
        (0..self.out_plane()).map(of).collect()
    }

    fn in_plane(&self) -> usize {
        self.rows.extent * self.columns.extent
    }

    fn out_plane(&self) -> usize {
        self.rows.windows * self.columns.windows
    }
}

/// Calls `$f::<T, STRIDE>` for the strides that occur, so that their loops vectorise, and `$f::<T, 0>` for any other.
macro_rules! with_stride {
    ($stride:expr, $f:ident($($arg:expr),*)) => {
        match $stride {
            1 => $f::<_, 1>($($arg),*),
            2 => $f::<_, 2>($($arg),*),
            3 => $f::<_, 3>($($arg),*),
            _ => $f::<_, 0>($($arg),*),
        }
    };
}

/// A choice by masks: of two values the compiler makes a branch, which is taken at random.
pub(super) trait Choose: Real {
    fn choose(first: bool, a: Self, b: Self) -> Self;
}

impl Choose for f32 {
    fn choose(first: bool, a: Self, b: Self) -> Self {
        let mask = 0u32.wrapping_sub(u32::from(first));
        Self::from_bits((a.to_bits() & mask) | (b.to_bits() & !mask))
    }
}

impl Choose for f64 {
    fn choose(first: bool, a: Self, b: Self) -> Self {
        let mask = 0u64.wrapping_sub(u64::from(first));
        Self::from_bits((a.to_bits() & mask) | (b.to_bits() & !mask))
    }
}

pub(super) fn max_pool2d_cpu<T: Choose>(args: &mut Args<'_>) {
    let g = Windows::of(args);
    let (x, y, indices): (&[T], &mut [T], &mut [u32]) = (args.input(0), args.output(0), args.output(1));
    let (row, stride) = (g.columns.windows, g.columns.stride);
    // Where the windows of a row begin, without padding, and their first columns inside.
    let steps: Vec<u32> = (0..row).map(|q| (q * stride) as u32).collect();
    let lefts: Vec<u32> = (0..row).map(|q| g.columns.first(q) as u32).collect();
    let planes = (mirror::CHUNK / g.in_plane()).max(1);
    let (of_x, of_y) = (planes * g.in_plane(), planes * g.out_plane());
    y.par_chunks_mut(of_y).zip(indices.par_chunks_mut(of_y)).zip(x.par_chunks(of_x)).run(|((y, indices), x)| {
        let mut met = vec![T::zero(); row];
        for (number, (y, indices)) in y.chunks_exact_mut(row).zip(indices.chunks_exact_mut(row)).enumerate() {
            let (plane, at) = (number / g.rows.windows, number % g.rows.windows);
            let x = &x[plane * g.in_plane()..][..g.in_plane()];
            // Even where all are -inf, the first element of the window (cut to the plane) is the maximum.
            let top = (g.rows.first(at) * g.columns.extent) as u32;
            y.fill(T::neg_infinity());
            indices.iter_mut().zip(&lefts).for_each(|(i, left)| *i = top + left);
            g.for_each_tap(at, |taps, from| {
                let (windows, met) = (taps.q0..taps.q0 + taps.len, &mut met[..taps.len]);
                with_stride!(stride, take_tap(&x[from..], met, stride));
                take_larger(met, from as u32, &steps, &mut y[windows.clone()], &mut indices[windows]);
            });
        }
    });
}

/// Elements `0, stride, 2 * stride, ..` of `x`.
#[inline]
fn take_tap<T: Real, const STRIDE: usize>(x: &[T], met: &mut [T], stride: usize) {
    if STRIDE == 0 {
        x.iter().step_by(stride).zip(met).for_each(|(v, met)| *met = *v);
    } else {
        // The last element may stand at the very end of `x`, without a whole stride after it.
        let last = met.len() - 1;
        x.chunks_exact(STRIDE).zip(&mut met[..last]).for_each(|(v, met)| *met = v[0]);
        met[last] = x[last * STRIDE];
    }
}

/// One tap of a row of windows: what it met, at `from + steps` in the plane. Apart from [`take_tap`] so that both vectorise.
#[inline]
fn take_larger<T: Choose>(met: &[T], from: u32, steps: &[u32], y: &mut [T], indices: &mut [u32]) {
    for (((y, i), &v), step) in y.iter_mut().zip(indices).zip(met).zip(steps) {
        let wins = (v > *y) | v.is_nan();
        let mask = 0u32.wrapping_sub(u32::from(wins));
        *y = T::choose(wins, v, *y);
        *i = (from.wrapping_add(*step) & mask) | (*i & !mask);
    }
}

pub(super) fn max_pool2d_bwd_x_cpu<T: Real>(args: &mut Args<'_>) {
    let g = Windows::of(args);
    let (rows, columns) = (g.rows.spans(), g.columns.spans());
    let spans = mirror::Spans { rows: &rows, columns: &columns, width: g.columns.extent };
    mirror::add_at::<T>(args.input(0), args.input(1), args.output(0), g.in_plane(), &spans);
}

pub(super) fn avg_pool2d_cpu<T: Real>(args: &mut Args<'_>) {
    let g = Windows::of(args);
    let (x, y): (&[T], &mut [T]) = (args.input(0), args.output(0));
    let (weights, row, stride) = (g.weights::<T>(), g.columns.windows, g.columns.stride);
    mirror::for_each_plane(y, g.out_plane(), |plane, y| {
        let x = &x[plane * g.in_plane()..][..g.in_plane()];
        for (at, (y, weights)) in y.chunks_exact_mut(row).zip(weights.chunks_exact(row)).enumerate() {
            y.fill(T::zero());
            g.for_each_tap(at, |taps, from| {
                with_stride!(stride, add_tap(&x[from..], &mut y[taps.q0..][..taps.len], stride));
            });
            y.iter_mut().zip(weights).for_each(|(y, &weight)| *y *= weight);
        }
    });
}

#[inline]
fn add_tap<T: Real, const STRIDE: usize>(x: &[T], y: &mut [T], stride: usize) {
    if STRIDE == 0 {
        x.iter().step_by(stride).zip(y).for_each(|(&v, y)| *y += v);
    } else {
        let last = y.len() - 1;
        x.chunks_exact(STRIDE).zip(&mut y[..last]).for_each(|(v, y)| *y += v[0]);
        y[last] += x[last * STRIDE];
    }
}

pub(super) fn avg_pool2d_bwd_x_cpu<T: Real>(args: &mut Args<'_>) {
    let g = Windows::of(args);
    let (dy, dx): (&[T], &mut [T]) = (args.input(0), args.output(0));
    let (weights, row, stride) = (g.weights::<T>(), g.columns.windows, g.columns.stride);
    mirror::for_each_plane(dx, g.in_plane(), |plane, dx| {
        dx.fill(T::zero());
        let dy = dy[plane * g.out_plane()..][..g.out_plane()].chunks_exact(row);
        for (at, (dy, weights)) in dy.zip(weights.chunks_exact(row)).enumerate() {
            g.for_each_tap(at, |taps, from| {
                let windows = taps.q0..taps.q0 + taps.len;
                with_stride!(stride, spread_tap(&dy[windows.clone()], &weights[windows], &mut dx[from..], stride));
            });
        }
    });
}

#[inline]
fn spread_tap<T: Real, const STRIDE: usize>(dy: &[T], weights: &[T], dx: &mut [T], stride: usize) {
    if STRIDE == 0 {
        dx.iter_mut().step_by(stride).zip(dy).zip(weights).for_each(|((dx, &dy), &weight)| *dx += dy * weight);
    } else {
        let last = dy.len() - 1;
        let whole = dx.chunks_exact_mut(STRIDE).zip(&dy[..last]).zip(weights);
        whole.for_each(|((dx, &dy), &weight)| dx[0] += dy * weight);
        dx[last * STRIDE] += dy[last] * weights[last];
    }
}
