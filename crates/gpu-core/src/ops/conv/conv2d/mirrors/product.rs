//! Forward pass and input gradient: tiles of neighbouring pixels by output channels.

use super::plan::{FEW, Phase, Plan, Tap};
use super::side::Side;
use super::tiles::{Tiled, in_tiles};
use crate::mirror::threads::{IndexedParallelIterator, IntoParallelRefMutIterator, Loop, ParallelSliceMut, each};
use crate::mirror::{Real, Width, transpose};
use crate::ops::conv::conv2d::layout::Layout;
use pulp::Simd;

/// y[k, ..] = sum over input channels and taps, + bias.
pub(super) fn product<T: Real>(l: &Layout, plan: &Plan, side: &Side, x: &[T], w: &[T], bias: Option<&[T]>, y: &mut [T]) {
    let width = Width::of::<T>(side.outs).cut_into(l.n * l.groups, side.outs);
    let group_w = l.group_k() * l.terms();
    let weights: Vec<_> = (0..l.groups).map(|group| pack(side, &w[group * group_w..], l.taps(), &width)).collect();
    let (x_image, y_image) = (x.len() / l.n, y.len() / l.n);
    let (plane, of_block, blocks) = (y_image / (l.groups * side.outs), width.channels(), side.outs.div_ceil(width.channels()));
    let sum_block = |padded: &[T], block: usize, y: &mut [T]| {
        let (group, block) = (block / blocks, block % blocks);
        let first = group * side.outs + block * of_block;
        let (bias, source) = (bias.map(|b| &b[first..]), &padded[group * side.ins * plan.source.plane()..]);
        in_tiles(&width, Product { plan, weights: &weights[group][block], filter: l.taps(), bias, source, y, plane });
    };
    let pad = |n: usize, padded: &mut Vec<T>| plan.source.fill(l.groups * side.ins, &x[n * x_image..][..x_image], padded);
    // The channels of a group that its blocks take, image by image.
    let by_block = |y| <[T]>::chunks_mut(y, side.outs * plane).flat_map(|group| group.chunks_mut(of_block * plane));
    if l.n >= FEW {
        // An image is a task, which keeps its padded planes to itself.
        y.par_chunks_mut(y_image).enumerate().run_with(1, Vec::new, |padded, (n, y)| {
            pad(n, padded);
            by_block(y).enumerate().for_each(|(block, y)| sum_block(padded, block, y));
        });
    } else {
        // A block of channels is.
        let padded = each(0..l.n).gather(|n| {
            let mut padded = Vec::new();
            pad(n, &mut padded);
            padded
        });
        let (mut all, blocks) = (y.chunks_mut(y_image).flat_map(by_block).collect::<Vec<_>>(), l.groups * blocks);
        all.par_iter_mut().enumerate().run(|(i, y)| sum_block(&padded[i / blocks], i % blocks, y));
    }
}

/// Weights that a task packs at least.
const PACKED: usize = 1 << 14;

/// `packed[block][input, tap, lane]` of a group's weights, with zeros in the lanes that the last block has too many. Blocks have memory of
/// their own: together they would be filled with zeros by one thread, and leave its cache before they are written.
pub(super) fn pack<T: Real>(side: &Side, w: &[T], taps: usize, width: &Width) -> Vec<Vec<T>> {
    let lanes = width.channels();
    let of_block = side.ins * taps * lanes;
    let pack = |block: usize| {
        let mut packed = vec![T::zero(); of_block];
        let first = block * lanes;
        let (w, channels) = (&w[first * side.w_out..], lanes.min(side.outs - first));
        // Where an output's weights lie together, they are one row.
        let [inputs, row] = if side.w_in == taps { [1, side.ins * taps] } else { [side.ins, taps] };
        for input in 0..inputs {
            transpose([channels, row], &w[input * side.w_in..], side.w_out, &mut packed[input * row * lanes..], lanes);
        }
        [packed]
    };
    each(0..side.outs.div_ceil(lanes)).gather_all_by(PACKED.div_ceil(of_block), pack)
}

/// A block of channels of one image.
struct Product<'a, T> {
    plan: &'a Plan,
    /// Its own of the [`pack`]ed ones.
    weights: &'a [T],
    /// Taps of the filter.
    filter: usize,
    /// From its first channel on.
    bias: Option<&'a [T]>,
    source: &'a [T],
    y: &'a mut [T],
    /// Elements of a plane of `y`.
    plane: usize,
}

impl<T: Real> Tiled for Product<'_, T> {
    #[inline(always)]
    fn run<S: Simd, const PX: usize, const NV: usize>(mut self, simd: S) {
        let w: &[[T::Vector<S>; NV]] = bytemuck::cast_slice::<T, T::Vector<S>>(self.weights).as_chunks().0;
        for phase in &self.plan.phases {
            for row in 0..phase.rows {
                self.row::<S, PX, NV>(simd, phase, w, row);
            }
        }
    }
}

impl<T: Real> Product<'_, T> {
    /// A row of outputs, tile by tile; the last tile may overlap the one before.
    #[inline(always)]
    fn row<S: Simd, const PX: usize, const NV: usize>(&mut self, simd: S, phase: &Phase, w: &[[T::Vector<S>; NV]], row: usize) {
        let whole = phase.cols / PX * PX;
        for col in (0..whole).step_by(PX) {
            self.tile::<S, PX, NV>(simd, phase, w, row, col);
        }
        match (phase.cols, phase.cols - whole) {
            (_, 0) => {}
            (cols @ ..4, _) => {
                for col in 0..cols {
                    self.tile::<S, 1, NV>(simd, phase, w, row, col);
                }
            }
            (cols, 5..) if whole > 0 => self.tile::<S, PX, NV>(simd, phase, w, row, cols - PX),
            (cols, rest) => {
                if rest > 4 {
                    self.tile::<S, 4, NV>(simd, phase, w, row, 0);
                }
                self.tile::<S, 4, NV>(simd, phase, w, row, cols - 4);
            }
        }
    }

    /// Neighbours of a row from `col` on.
    #[inline(always)]
    fn tile<S: Simd, const PX: usize, const NV: usize>(
        &mut self,
        simd: S,
        phase: &Phase,
        w: &[[T::Vector<S>; NV]],
        row: usize,
        col: usize,
    ) {
        let zeros = [[T::splat(simd, T::zero()); NV]; PX];
        let source = &self.source[row * phase.source_row_step + col..];
        let sums = sums::<S, T, PX, NV>(simd, zeros, source, self.plan.source.plane(), &phase.taps, w, self.filter);
        let sums: &[T] = bytemuck::cast_slice(sums.as_flattened());
        let lanes = sums.len() / PX;
        let at = phase.first + row * phase.row_step + col * phase.col_step;
        for (lane, y) in self.y.chunks_exact_mut(self.plane).enumerate() {
            let (bias, y) = (self.bias.map_or(T::zero(), |b| b[lane]), &mut y[at..]);
            for i in 0..PX {
                y[i * phase.col_step] = sums[i * lanes + lane] + bias;
            }
        }
    }
}

/// Adds to the sums of `PX` pixels by `NV` vectors of channels what they read through some taps of a filter that has `filter` of them.
/// `source` begins where the first pixel reads.
#[inline(always)]
pub(super) fn sums<S: Simd, T: Real, const PX: usize, const NV: usize>(
    simd: S,
    mut sums: [[T::Vector<S>; NV]; PX],
    source: &[T],
    plane: usize,
    taps: &[Tap],
    w: &[[T::Vector<S>; NV]],
    filter: usize,
) -> [[T::Vector<S>; NV]; PX] {
    for (input, w) in w.chunks_exact(filter).enumerate() {
        let source = &source[input * plane..];
        for tap in taps {
            let w = &w[tap.weight];
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
