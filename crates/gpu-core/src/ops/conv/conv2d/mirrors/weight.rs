//! The weight gradient: blocks of terms by output channels, over all pixels.

use super::plan::{Phase, Plan};
use super::{Layout, is_pointwise};
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSlice};
use crate::mirror::{Real, Width};
use crate::unchecked::{Into, MatRef, gemm};
use pulp::{Arch, Simd, WithSimd};

/// Runs of images that make a partial sum each: the same on any number of threads.
const RUNS: usize = 16;
/// Elements of all partial sums together.
const PARTIALS: usize = 16 << 20;

/// dw, as partial sums of runs of images that are added in order.
pub(in super::super) fn backward_w<T: Real>(l: &Layout, x: &[T], dy: &[T], dw: &mut [T]) {
    dw.fill(T::zero());
    if dy.is_empty() {
        return;
    }
    let images = l.n.div_ceil((PARTIALS / dw.len()).clamp(1, RUNS));
    let (x_run, dy_run) = (images * l.c * l.h * l.w, images * l.k * l.p * l.q);
    let runs = || x.par_chunks(x_run).zip(dy.par_chunks(dy_run));
    if is_pointwise(l) {
        let partials: Vec<Vec<T>> = runs().gather(|(x, dy)| pointwise(l, x, dy));
        for partial in &partials {
            dw.iter_mut().zip(partial).for_each(|(d, &v)| *d += v);
        }
        return;
    }
    let (plan, width) = (Plan::forward(l), Width::of::<T>(l.group_k()));
    let partials: Vec<Vec<T>> = runs().gather(|(x, dy)| direct(l, &plan, &width, x, dy));
    let (terms, lanes) = (l.terms(), width.channels());
    let blocks = l.group_k().div_ceil(lanes);
    for partial in &partials {
        for (k, dw) in dw.chunks_mut(terms).enumerate() {
            let (group, k) = (k / l.group_k(), k % l.group_k());
            let partial = &partial[(group * blocks + k / lanes) * terms * lanes + k % lanes..];
            dw.iter_mut().zip(partial.iter().step_by(lanes)).for_each(|(d, &v)| *d += v);
        }
    }
}

/// dy times the pixels, of a run of images.
fn pointwise<T: Real>(l: &Layout, x: &[T], dy: &[T]) -> Vec<T> {
    let (pixels, ins, outs) = (l.p * l.q, l.group_c(), l.group_k());
    let mut dw = vec![T::zero(); l.k * ins];
    for (x, dy) in x.chunks(l.c * pixels).zip(dy.chunks(l.k * pixels)) {
        for (group, dw) in dw.chunks_mut(outs * ins).enumerate() {
            let x = MatRef { data: &x[group * ins * pixels..], row: 1, col: pixels };
            let dy = MatRef { data: &dy[group * outs * pixels..], row: pixels, col: 1 };
            gemm((outs, ins, pixels), dy, x, dw, ins, Into::Add, 1);
        }
    }
    dw
}

/// `dw[group, block, term, lane]` of a run of images.
fn direct<T: Real>(l: &Layout, plan: &Plan, width: &Width, x: &[T], dy: &[T]) -> Vec<T> {
    let (pixels, terms, lanes) = (l.p * l.q, l.terms(), width.channels());
    let (ins, outs, plane) = (l.group_c(), l.group_k(), plan.source.plane());
    let phase = &plan.phases[0];
    let offsets: Vec<usize> = (0..ins).flat_map(|c| phase.taps.iter().map(move |tap| c * plane + tap.offset)).collect();
    let blocks = outs.div_ceil(lanes);
    let mut dw = vec![T::zero(); l.groups * blocks * terms * lanes];
    let (mut padded, mut turned) = (Vec::new(), vec![T::zero(); blocks * pixels * lanes]);
    for (x, dy) in x.chunks(l.c * l.h * l.w).zip(dy.chunks(l.k * pixels)) {
        plan.source.fill(l.c, x, &mut padded);
        for (group, dw) in dw.chunks_mut(blocks * terms * lanes).enumerate() {
            turn(&dy[group * outs * pixels..][..outs * pixels], pixels, lanes, &mut turned);
            let source = &padded[group * ins * plane..];
            Arch::new().dispatch(WeightSums { width, phase, offsets: &offsets, source, dy: &turned, dw });
        }
    }
    dw
}

/// `turned[block, pixel, lane]` of dy's planes; lanes without a plane stay as they are.
fn turn<T: Real>(dy: &[T], pixels: usize, lanes: usize, turned: &mut [T]) {
    for (planes, turned) in dy.chunks(pixels * lanes).zip(turned.chunks_mut(pixels * lanes)) {
        for (lane, plane) in planes.chunks_exact(pixels).enumerate() {
            turned[lane..].iter_mut().step_by(lanes).zip(plane).for_each(|(t, &v)| *t = v);
        }
    }
}

/// What one image's group adds to its weights.
struct WeightSums<'a, T> {
    width: &'a Width,
    phase: &'a Phase,
    /// Where each term reads for the first pixel.
    offsets: &'a [usize],
    source: &'a [T],
    dy: &'a [T],
    dw: &'a mut [T],
}

impl<T: Real> WithSimd for WeightSums<'_, T> {
    type Output = ();

    /// As many sums as there are registers for; nine are the taps of a common filter.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match (self.width.vectors, self.width.is_wide) {
            (1, true) => self.run::<S, 9, 1>(simd),
            (1, false) => self.run::<S, 6, 1>(simd),
            (_, true) => self.run::<S, 9, 2>(simd),
            (_, false) => self.run::<S, 5, 2>(simd),
        }
    }
}

impl<T: Real> WeightSums<'_, T> {
    #[inline(always)]
    fn run<S: Simd, const TERMS: usize, const NV: usize>(self, simd: S) {
        let dy: &[[T::Vector<S>; NV]] = bytemuck::cast_slice::<T, T::Vector<S>>(self.dy).as_chunks().0;
        let dw: &mut [[T::Vector<S>; NV]] = bytemuck::cast_slice_mut::<T, T::Vector<S>>(self.dw).as_chunks_mut().0;
        let one = T::splat(simd, T::one());
        for (dw, dy) in dw.chunks_mut(self.offsets.len()).zip(dy.chunks(self.phase.rows * self.phase.cols)) {
            for (dw, offsets) in dw.chunks_mut(TERMS).zip(self.offsets.chunks(TERMS)) {
                // The last block may repeat its last term.
                let at: [usize; TERMS] = std::array::from_fn(|t| offsets[t.min(offsets.len() - 1)]);
                let sums = sums::<S, T, TERMS, NV>(simd, self.source, &at, self.phase, dy);
                for (dw, sums) in dw.iter_mut().zip(&sums) {
                    for j in 0..NV {
                        dw[j] = T::madd(simd, sums[j], one, dw[j]);
                    }
                }
            }
        }
    }
}

/// The sums over all pixels of `TERMS` terms by `NV` vectors of channels.
#[inline(always)]
fn sums<S: Simd, T: Real, const TERMS: usize, const NV: usize>(
    simd: S,
    source: &[T],
    at: &[usize; TERMS],
    phase: &Phase,
    dy: &[[T::Vector<S>; NV]],
) -> [[T::Vector<S>; NV]; TERMS] {
    let mut sums = [[T::splat(simd, T::zero()); NV]; TERMS];
    for (row, dy) in dy.chunks_exact(phase.cols).enumerate() {
        let rows: [&[T]; TERMS] = std::array::from_fn(|t| &source[at[t] + row * phase.source_row_step..][..dy.len()]);
        for (i, dy) in dy.iter().enumerate() {
            for t in 0..TERMS {
                let x = T::splat(simd, rows[t][i]);
                for j in 0..NV {
                    sums[t][j] = T::madd(simd, x, dy[j], sums[t][j]);
                }
            }
        }
    }
    sums
}
