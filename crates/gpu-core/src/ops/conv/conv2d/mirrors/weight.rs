//! The weight gradient: blocks of terms by output channels, over all pixels.

use super::plan::{FEW, Phase, Plan};
use super::{Layout, is_pointwise};
use crate::mirror::threads::{IndexedParallelIterator, IntoParallelRefMutIterator, Loop, ParallelSlice, ParallelSliceMut};
use crate::mirror::{CHUNK, Real, Width, for_each_chunk, transpose};
use crate::unchecked::{Into, MatRef, gemm};
use pulp::{Arch, Simd, WithSimd};

/// Runs of images that make a partial sum each: the same on any number of threads.
const RUNS: usize = 16;
/// Elements of all partial sums together.
const PARTIALS: usize = 16 << 20;

/// dw, as partial sums of runs of images that are added in order.
pub(super) fn backward_w<T: Real>(l: &Layout, x: &[T], dy: &[T], dw: &mut [T]) {
    dw.fill(T::zero());
    if dy.is_empty() {
        return;
    }
    let images = l.n.div_ceil((PARTIALS / dw.len()).clamp(1, RUNS));
    let (x_run, dy_run) = (images * l.c * l.h * l.w, images * l.k * l.p * l.q);
    if is_pointwise(l) {
        let partials = x.par_chunks(x_run).zip(dy.par_chunks(dy_run)).gather(|(x, dy)| pointwise(l, x, dy));
        return for_each_chunk(dw, CHUNK, &|i, dw| {
            for partial in &partials {
                dw.iter_mut().zip(&partial[i * CHUNK..]).for_each(|(d, &v)| *d += v);
            }
        });
    }
    let (plan, width) = (Plan::forward(l), Width::of::<T>(l.group_k()).cut_into(l.n * l.groups, l.group_k()));
    let partials = by_run(x, x_run, dy, dy_run, |x, dy, is_cut| direct(l, &plan, &width, x, dy, is_cut));
    let (terms, lanes) = (l.terms(), width.channels());
    by_block(l, lanes, dw).par_iter_mut().enumerate().run_with(1, Vec::new, |sums, (block, dw)| {
        sums.clear();
        sums.resize(terms * lanes, T::zero());
        for partial in &partials {
            sums.iter_mut().zip(&partial[block * terms * lanes..]).for_each(|(sum, &v)| *sum += v);
        }
        transpose([terms, dw.len() / terms], sums, lanes, dw, terms);
    });
}

/// The weights of each block of `lanes` output channels, of all groups.
pub(super) fn by_block<'a, T>(l: &Layout, lanes: usize, dw: &'a mut [T]) -> Vec<&'a mut [T]> {
    dw.chunks_mut(l.group_k() * l.terms()).flat_map(|group| group.chunks_mut(lanes * l.terms())).collect()
}

/// What `f(x, dy, is_cut)` gives for each run, in order. Runs are tasks, but where there are few of them: then each is to be cut itself.
fn by_run<T: Real>(
    x: &[T],
    x_run: usize,
    dy: &[T],
    dy_run: usize,
    f: impl Fn(&[T], &[T], bool) -> Vec<T> + Sync + Send,
) -> Vec<Vec<T>> {
    match x.len().div_ceil(x_run) {
        ..FEW => x.chunks(x_run).zip(dy.chunks(dy_run)).map(|(x, dy)| f(x, dy, true)).collect(),
        _ => x.par_chunks(x_run).zip(dy.par_chunks(dy_run)).gather(|(x, dy)| f(x, dy, false)),
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
fn direct<T: Real>(l: &Layout, plan: &Plan, width: &Width, x: &[T], dy: &[T], is_cut: bool) -> Vec<T> {
    let (pixels, terms, lanes) = (l.p * l.q, l.terms(), width.channels());
    let (ins, outs, plane) = (l.group_c(), l.group_k(), plan.source.plane());
    let phase = &plan.phases[0];
    let offsets: Vec<usize> = (0..ins).flat_map(|c| phase.taps.iter().map(move |tap| c * plane + tap.offset)).collect();
    let blocks = outs.div_ceil(lanes);
    let mut dw = vec![T::zero(); l.groups * blocks * terms * lanes];
    let mut padded = Vec::new();
    for (x, dy) in x.chunks(l.c * l.h * l.w).zip(dy.chunks(l.k * pixels)) {
        plan.source.fill(l.c, x, &mut padded);
        let of_block = |turned: &mut Vec<T>, (i, dw): (usize, &mut [T])| {
            let (group, first) = (i / blocks, i % blocks * lanes);
            turned.resize(pixels * lanes, T::zero());
            // (pixel, lane); lanes without a plane stay as they are.
            transpose([lanes.min(outs - first), pixels], &dy[(group * outs + first) * pixels..], pixels, turned, lanes);
            let source = &padded[group * ins * plane..];
            Arch::new().dispatch(WeightSums { width, phase, offsets: &offsets, source, dy: turned, dw });
        };
        match is_cut {
            true => dw.par_chunks_mut(terms * lanes).enumerate().run_with(1, Vec::new, of_block),
            false => {
                let mut turned = Vec::new();
                dw.chunks_mut(terms * lanes).enumerate().for_each(|block| of_block(&mut turned, block));
            }
        }
    }
    dw
}

/// What one image adds to the weights of a block of channels.
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
        for (dw, offsets) in dw.chunks_mut(TERMS).zip(self.offsets.chunks(TERMS)) {
            // The last ones may repeat the last term.
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
        let rows = std::array::from_fn(|t| &source[at[t] + row * phase.source_row_step..][..dy.len()]);
        add_row::<S, T, TERMS, NV>(simd, &mut sums, &rows, dy);
    }
    sums
}

/// Adds to the sums of `TERMS` terms by `NV` vectors of channels a row of what each reads, times dy.
#[inline(always)]
pub(super) fn add_row<S: Simd, T: Real, const TERMS: usize, const NV: usize>(
    simd: S,
    sums: &mut [[T::Vector<S>; NV]; TERMS],
    rows: &[&[T]; TERMS],
    dy: &[[T::Vector<S>; NV]],
) {
    for (i, dy) in dy.iter().enumerate() {
        for t in 0..TERMS {
            let x = T::splat(simd, rows[t][i]);
            for j in 0..NV {
                sums[t][j] = T::madd(simd, x, dy[j], sums[t][j]);
            }
        }
    }
}
