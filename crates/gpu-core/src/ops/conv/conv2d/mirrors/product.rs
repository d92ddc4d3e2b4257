//! Forward pass and input gradient: tiles of neighbouring pixels by output channels.

use super::plan::{Phase, Plan, Tap};
use super::side::Side;
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSliceMut};
use crate::mirror::{Real, Width};
use crate::ops::conv::conv2d::layout::Layout;
use pulp::{Arch, Simd, WithSimd};

/// y[k, ..] = sum over input channels and taps, + bias.
pub(super) fn product<T: Real>(l: &Layout, plan: &Plan, side: &Side, x: &[T], w: &[T], bias: Option<&[T]>, y: &mut [T]) {
    let width = Width::of::<T>(side.outs);
    let group_w = l.group_k() * l.terms();
    let pack_all = |group: usize| plan.phases.iter().map(|phase| pack(side, &w[group * group_w..], &phase.taps, &width)).collect();
    let weights: Vec<Vec<Vec<T>>> = (0..l.groups).map(pack_all).collect();
    let (x_image, y_image) = (x.len() / l.n, y.len() / l.n);
    let plane = y_image / (l.groups * side.outs);
    y.par_chunks_mut(y_image).enumerate().run_with(Vec::new, |padded, (n, y)| {
        plan.source.fill(l.groups * side.ins, &x[n * x_image..][..x_image], padded);
        for (group, y) in y.chunks_mut(side.outs * plane).enumerate() {
            let bias = bias.map(|b| &b[group * side.outs..]);
            let source = &padded[group * side.ins * plan.source.plane()..];
            Arch::new().dispatch(Product { plan, side, width: &width, weights: &weights[group], bias, source, y, plane });
        }
    });
}

/// `packed[block, input, tap, lane]` of a group's weights, with zeros in the lanes that the last block has too many.
fn pack<T: Real>(side: &Side, w: &[T], taps: &[Tap], width: &Width) -> Vec<T> {
    let lanes = width.channels();
    let mut packed = vec![T::zero(); side.outs.div_ceil(lanes) * side.ins * taps.len() * lanes];
    let mut rows = packed.chunks_mut(lanes);
    for first in (0..side.outs).step_by(lanes) {
        for input in 0..side.ins {
            for (tap, row) in taps.iter().zip(&mut rows) {
                for (out, v) in (first..side.outs).zip(row) {
                    *v = w[out * side.w_out + input * side.w_in + tap.weight];
                }
            }
        }
    }
    packed
}

/// All outputs of one image's group.
struct Product<'a, T> {
    plan: &'a Plan,
    side: &'a Side,
    width: &'a Width,
    /// Of each phase, [`pack`]ed.
    weights: &'a [Vec<T>],
    bias: Option<&'a [T]>,
    source: &'a [T],
    y: &'a mut [T],
    /// Elements of a plane of `y`.
    plane: usize,
}

impl<T: Real> WithSimd for Product<'_, T> {
    type Output = ();

    /// As many sums as there are registers for, with room for the weights and a pixel.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match (self.width.vectors, self.width.is_wide) {
            (1, true) => self.run::<S, 8, 1>(simd),
            (1, false) => self.run::<S, 4, 1>(simd),
            (_, true) => self.run::<S, 8, 2>(simd),
            (_, false) => self.run::<S, 4, 2>(simd),
        }
    }
}

impl<T: Real> Product<'_, T> {
    #[inline(always)]
    fn run<S: Simd, const PX: usize, const NV: usize>(mut self, simd: S) {
        for (phase, weights) in self.plan.phases.iter().zip(self.weights) {
            let weights: &[[T::Vector<S>; NV]] = bytemuck::cast_slice::<T, T::Vector<S>>(weights).as_chunks().0;
            let terms = self.side.ins * phase.taps.len();
            for (block, first) in (0..self.side.outs).step_by(self.width.channels()).enumerate() {
                let w = &weights[block * terms..][..terms];
                for row in 0..phase.rows {
                    match phase.cols {
                        cols if cols >= PX => self.row::<S, PX, NV>(simd, phase, w, first, row),
                        4.. => self.row::<S, 4, NV>(simd, phase, w, first, row),
                        _ => self.row::<S, 1, NV>(simd, phase, w, first, row),
                    }
                }
            }
        }
    }

    /// A row of outputs, tile by tile; the last tile overlaps the one before.
    #[inline(always)]
    fn row<S: Simd, const PX: usize, const NV: usize>(
        &mut self,
        simd: S,
        phase: &Phase,
        w: &[[T::Vector<S>; NV]],
        first: usize,
        row: usize,
    ) {
        let lanes = self.width.channels();
        for tile in 0..phase.cols.div_ceil(PX) {
            let col = (tile * PX).min(phase.cols - PX);
            let source = &self.source[row * phase.source_row_step + col..];
            let sums = sums::<S, T, PX, NV>(simd, source, self.plan.source.plane(), &phase.taps, w);
            let sums: &[T] = bytemuck::cast_slice(sums.as_flattened());
            let at = phase.first + row * phase.row_step + col * phase.col_step;
            for (lane, out) in (first..self.side.outs).take(lanes).enumerate() {
                let bias = self.bias.map_or(T::zero(), |b| b[out]);
                let y = &mut self.y[out * self.plane + at..];
                for i in 0..PX {
                    y[i * phase.col_step] = sums[i * lanes + lane] + bias;
                }
            }
        }
    }
}

/// The sums of `PX` pixels by `NV` vectors of channels. `source` begins where the first pixel reads.
#[inline(always)]
fn sums<S: Simd, T: Real, const PX: usize, const NV: usize>(
    simd: S,
    source: &[T],
    plane: usize,
    taps: &[Tap],
    w: &[[T::Vector<S>; NV]],
) -> [[T::Vector<S>; NV]; PX] {
    let mut sums = [[T::splat(simd, T::zero()); NV]; PX];
    // A phase without taps has no weights either.
    for (input, w) in w.chunks_exact(taps.len().max(1)).enumerate() {
        let source = &source[input * plane..];
        for (tap, w) in taps.iter().zip(w) {
            let pixels: &[T; PX] = source[tap.offset..].first_chunk().expect("the source holds every tap");
            for i in 0..PX {
                let pixel = T::splat(simd, pixels[i]);
                for j in 0..NV {
                    sums[i][j] = T::madd(simd, pixel, w[j], sums[i][j]);
                }
            }
        }
    }
    sums
}
