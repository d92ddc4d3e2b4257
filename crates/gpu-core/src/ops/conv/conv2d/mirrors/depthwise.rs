//! Depthwise convolutions: a plane at a time, with neighbouring pixels in the lanes of a vector.
//!
//! Rows are shorter than a tile of vectors, but over the padded source they follow each other evenly: one run of outputs goes through
//! all of them, and what it computes between two rows is left behind when rows are copied out.

use super::across::Places;
use super::plan::{Phase, Plan, Tap};
use super::{Layout, depthwise_small};
use crate::mirror::{CHUNK, Real, Width, for_each_chunk};
use pulp::{Arch, Simd, WithSimd};
use std::ops::Range;

/// y of a depthwise convolution.
pub(in super::super) fn depthwise_forward<T: Real>(l: &Layout, x: &[T], w: &[T], bias: Option<&[T]>, y: &mut [T]) {
    if depthwise_small::is_for(l, [l.p * l.q, l.h * l.w]) {
        depthwise_small::product(l, &Places::forward(l), x, w, bias, y);
    } else {
        planes_of_y(l, x, w, bias, y);
    }
}

pub(super) fn planes_of_y<T: Real>(l: &Layout, x: &[T], w: &[T], bias: Option<&[T]>, y: &mut [T]) {
    Planes { plan: &Plan::forward(l), ins: 1, readers: l.k / l.c, channels: l.k, taps: l.taps(), x, w, bias }.sum(l.p * l.q, y);
}

/// dx of a depthwise convolution; with a bias, the forward pass of a transposed one.
pub(in super::super) fn depthwise_backward_x<T: Real>(l: &Layout, dy: &[T], w: &[T], bias: Option<&[T]>, dx: &mut [T]) {
    if depthwise_small::is_for(l, [l.h * l.w, l.p * l.q]) {
        depthwise_small::product(l, &Places::backward(l), dy, w, bias, dx);
    } else {
        planes_of_x(l, dy, w, bias, dx);
    }
}

pub(super) fn planes_of_x<T: Real>(l: &Layout, dy: &[T], w: &[T], bias: Option<&[T]>, dx: &mut [T]) {
    Planes { plan: &Plan::backward(l), ins: l.k / l.c, readers: 1, channels: l.c, taps: l.taps(), x: dy, w, bias }
        .sum(l.h * l.w, dx);
}

/// Planes of outputs, each of which sums `ins` planes of `x`; `readers` planes of outputs read the same.
struct Planes<'a, T> {
    plan: &'a Plan,
    ins: usize,
    readers: usize,
    /// Planes of outputs of an image.
    channels: usize,
    taps: usize,
    x: &'a [T],
    w: &'a [T],
    bias: Option<&'a [T]>,
}

impl<T: Real> Planes<'_, T> {
    /// All planes of `y`, of `plane` elements each.
    fn sum(&self, plane: usize, y: &mut [T]) {
        if y.is_empty() {
            return;
        }
        let (source, planes, filter) = (&self.plan.source, (CHUNK / plane).max(1), self.ins * self.taps);
        let from = self.ins * source.elements();
        let terms: Vec<Vec<Term>> = self.plan.phases.iter().map(|phase| self.terms(phase)).collect();
        let beyond = Width::of::<T>(1).channels();
        for_each_chunk(y, planes * plane, &|task, y| {
            let (mut padded, mut sums) = (Vec::new(), Vec::new());
            for (i, y) in y.chunks_mut(plane).enumerate() {
                let (i, channel) = (task * planes + i, (task * planes + i) % self.channels);
                source.fill(self.ins, &self.x[i / self.readers * from..][..from], &mut padded);
                padded.resize(self.ins * source.plane() + beyond, T::zero());
                let start = self.bias.map_or(T::zero(), |b| b[channel]);
                let w = &self.w[channel * filter..][..filter];
                for (phase, terms) in self.plan.phases.iter().zip(&terms) {
                    Arch::new().dispatch(PhaseSums { phase, terms, source: &padded, w, start, sums: &mut sums, y });
                }
            }
        });
    }

    /// What an output of a phase is the sum of.
    fn terms(&self, phase: &Phase) -> Vec<Term> {
        let of = |input: usize| {
            let (plane, filter) = (input * self.plan.source.plane(), input * self.taps);
            phase.taps.iter().map(move |tap| Term { offset: plane + tap.offset, weight: filter + tap.weight })
        };
        (0..self.ins).flat_map(of).collect()
    }
}

/// A term: where the first of the phase's outputs reads in the source, and its place in the filter.
struct Term {
    offset: usize,
    weight: usize,
}

/// The outputs of a phase of one plane.
struct PhaseSums<'a, T> {
    phase: &'a Phase,
    terms: &'a [Term],
    /// With room for a vector that begins at the last element.
    source: &'a [T],
    w: &'a [T],
    start: T,
    sums: &'a mut Vec<T>,
    y: &'a mut [T],
}

impl<T: Real> WithSimd for PhaseSums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let &Phase { rows, cols, first, row_step, col_step, source_row_step, .. } = self.phase;
        let room = |len: usize| len.next_multiple_of(size_of::<T::Vector<S>>() / size_of::<T>());
        // Where a stride leaves rows of the source out, each row is a run.
        let (runs, room, pitch) = match (cols..2 * cols).contains(&source_row_step) {
            true => (1, room((rows - 1) * source_row_step + cols), source_row_step),
            false => (rows, room(cols), room(cols)),
        };
        self.sums.resize(runs * room, T::zero());
        for (row, sums) in self.sums.chunks_exact_mut(room).enumerate() {
            run(simd, &self.source[row * source_row_step..], self.terms, self.w, self.start, sums);
        }
        for (row, sums) in self.sums.chunks(pitch).take(rows).enumerate() {
            let y = &mut self.y[first + row * row_step..];
            match col_step {
                1 => y[..cols].copy_from_slice(&sums[..cols]),
                step => y.iter_mut().step_by(step).zip(&sums[..cols]).for_each(|(y, &sum)| *y = sum),
            }
        }
    }
}

/// Outputs that read neighbours: whole vectors of them, eight at a time.
#[inline(always)]
fn run<S: Simd, T: Real>(simd: S, source: &[T], terms: &[Term], w: &[T], start: T, sums: &mut [T]) {
    const VECTORS: usize = 8;
    let lanes = size_of::<T::Vector<S>>() / size_of::<T>();
    let whole = sums.len() / (VECTORS * lanes) * (VECTORS * lanes);
    let (tiles, rest) = sums.split_at_mut(whole);
    for (i, tile) in tiles.chunks_exact_mut(VECTORS * lanes).enumerate() {
        let of_tile = tile_sums::<S, T, VECTORS>(simd, &source[i * VECTORS * lanes..], terms, w, start);
        tile.copy_from_slice(bytemuck::cast_slice(&of_tile));
    }
    for (i, vector) in rest.chunks_exact_mut(lanes).enumerate() {
        let of_vector = tile_sums::<S, T, 1>(simd, &source[whole + i * lanes..], terms, w, start);
        vector.copy_from_slice(bytemuck::cast_slice(&of_vector));
    }
}

/// The sums of `NV` vectors of neighbours. `source` begins where the first output reads.
#[inline(always)]
fn tile_sums<S: Simd, T: Real, const NV: usize>(simd: S, source: &[T], terms: &[Term], w: &[T], start: T) -> [T::Vector<S>; NV] {
    let lanes = size_of::<T::Vector<S>>() / size_of::<T>();
    let mut sums = [T::splat(simd, start); NV];
    for term in terms {
        let (pixels, w) = (&source[term.offset..][..NV * lanes], T::splat(simd, w[term.weight]));
        for (sum, pixels) in sums.iter_mut().zip(pixels.chunks_exact(lanes)) {
            *sum = T::madd(simd, bytemuck::pod_read_unaligned(bytemuck::cast_slice(pixels)), w, *sum);
        }
    }
    sums
}

/// Taps that are summed at once: as many as a common filter has, and registers for all of them.
const TAPS: usize = 9;

/// dw of a depthwise convolution, one partial for each run of `pixels_per_split` pixels of the batch (rows (split, k, taps)).
pub(in super::super) fn depthwise_backward_w<T: Real>(l: &Layout, pixels_per_split: usize, x: &[T], dy: &[T], dw: &mut [T]) {
    let plane = l.p * l.q;
    if dy.is_empty() {
        dw.fill(T::zero());
    } else if depthwise_small::is_for(l, [plane, l.h * l.w]) && pixels_per_split.is_multiple_of(plane) {
        depthwise_small::backward_w(l, pixels_per_split / plane, x, dy, dw);
    } else {
        weights(l, pixels_per_split, x, dy, dw);
    }
}

pub(super) fn weights<T: Real>(l: &Layout, pixels_per_split: usize, x: &[T], dy: &[T], dw: &mut [T]) {
    let (plan, plane, taps) = (Plan::forward(l), l.p * l.q, l.taps());
    for_each_chunk(dw, taps, &|row, dw| {
        let (k, split) = (row % l.k, row / l.k);
        let pixels = split * pixels_per_split..((split + 1) * pixels_per_split).min(l.n * plane);
        let (mut sums, mut padded) = (vec![0f64; taps], Vec::new());
        for n in pixels.start / plane..pixels.end.div_ceil(plane) {
            let at = (n * l.c + k * l.c / l.k) * plan.source.elements();
            plan.source.fill(1, &x[at..][..plan.source.elements()], &mut padded);
            let dy = &dy[(n * l.k + k) * plane..][..plane];
            // The part of the plane that lies in the split's run.
            let pixels = pixels.start.saturating_sub(n * plane)..(pixels.end - n * plane).min(plane);
            let phase = &plan.phases[0];
            for (sums, taps) in sums.chunks_mut(TAPS).zip(phase.taps.chunks(TAPS)) {
                Arch::new().dispatch(TapSums { phase, taps, source: &padded, dy, pixels: pixels.clone(), sums });
            }
        }
        dw.iter_mut().zip(&sums).for_each(|(d, s)| *d = T::of(*s));
    });
}

/// What the pixels of one plane add to the sums of up to [`TAPS`] taps.
struct TapSums<'a, T> {
    phase: &'a Phase,
    taps: &'a [Tap],
    source: &'a [T],
    dy: &'a [T],
    pixels: Range<usize>,
    sums: &'a mut [f64],
}

impl<T: Real> WithSimd for TapSums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = size_of::<T::Vector<S>>() / size_of::<T>();
        let &Phase { rows, cols, source_row_step, .. } = self.phase;
        let mut sums = [T::splat(simd, T::zero()); TAPS];
        for row in 0..rows {
            let start = self.pixels.start.clamp(row * cols, (row + 1) * cols);
            let end = self.pixels.end.clamp(start, (row + 1) * cols);
            let (dy, at) = (&self.dy[start..end], row * source_row_step + start - row * cols);
            // Where there are fewer taps, the last one is repeated.
            let tap = |t: usize| self.taps[t.min(self.taps.len() - 1)].offset;
            let x: [&[T]; TAPS] = std::array::from_fn(|t| &self.source[tap(t) + at..][..dy.len()]);
            let whole = dy.len() / lanes * lanes;
            for i in (0..whole).step_by(lanes) {
                let load = |row: &[T]| bytemuck::pod_read_unaligned::<T::Vector<S>>(bytemuck::cast_slice(&row[i..i + lanes]));
                let dy = load(dy);
                for t in 0..TAPS {
                    sums[t] = T::madd(simd, load(x[t]), dy, sums[t]);
                }
            }
            if whole < dy.len() {
                let dy = T::load(simd, &dy[whole..]);
                for t in 0..TAPS {
                    sums[t] = T::madd(simd, T::load(simd, &x[t][whole..]), dy, sums[t]);
                }
            }
        }
        for (sum, lanes) in self.sums.iter_mut().zip(&sums) {
            *sum += bytemuck::cast_slice::<_, T>(std::slice::from_ref(lanes)).iter().map(|&v| v.into()).sum::<f64>();
        }
    }
}
