//! Few output channels: neighbouring pixels of a row in the lanes of a vector, where channels would leave most of them empty.

use super::Layout;
use super::plan::{Phase, Plan};
use super::side::Side;
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSliceMut};
use crate::mirror::{Real, Width};
use pulp::{Arch, Simd, WithSimd};

/// Output channels at most.
const OUTS: usize = 4;
/// Rows of a tile.
const ROWS: usize = 4;

/// Whether the rows of all phases fill half a vector at least, and the channels do not.
pub(super) fn suits<T: Real>(side: &Side, plan: &Plan) -> bool {
    let lanes = Width::of::<T>(1).channels();
    side.outs <= OUTS && 2 * side.outs < lanes && plan.phases.iter().all(|phase| 2 * phase.cols >= lanes)
}

/// y[k, ..] = sum over input channels and taps, + bias: the same sums as those of [`product`](super::product), to the bit.
pub(super) fn product<T: Real>(l: &Layout, plan: &Plan, side: &Side, x: &[T], w: &[T], bias: Option<&[T]>, y: &mut [T]) {
    let (x_image, y_image) = (x.len() / l.n, y.len() / l.n);
    let (plane, lanes) = (y_image / (l.groups * side.outs), Width::of::<T>(1).channels());
    y.par_chunks_mut(y_image).enumerate().run_with(1, Vec::new, |padded, (n, y)| {
        plan.source.fill(l.groups * side.ins, &x[n * x_image..][..x_image], padded);
        // The last row's vectors reach over its end.
        padded.resize(padded.len() + lanes, T::zero());
        for (group, y) in y.chunks_mut(side.outs * plane).enumerate() {
            let w = &w[group * l.group_k() * l.terms()..];
            let (bias, source) = (bias.map(|b| &b[group * side.outs..]), &padded[group * side.ins * plan.source.plane()..]);
            Arch::new().dispatch(Rows { plan, side, w, bias, source, y, plane });
        }
    });
}

/// The channels of a group of one image.
struct Rows<'a, T> {
    plan: &'a Plan,
    side: &'a Side,
    w: &'a [T],
    bias: Option<&'a [T]>,
    source: &'a [T],
    y: &'a mut [T],
    /// Elements of a plane of `y`.
    plane: usize,
}

impl<T: Real> WithSimd for Rows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.side.outs {
            1 => self.run::<S, 1>(simd),
            2 => self.run::<S, 2>(simd),
            3 => self.run::<S, 3>(simd),
            _ => self.run::<S, OUTS>(simd),
        }
    }
}

impl<T: Real> Rows<'_, T> {
    #[inline(always)]
    fn run<S: Simd, const K: usize>(mut self, simd: S) {
        let lanes = size_of::<T::Vector<S>>() / size_of::<T>();
        for phase in &self.plan.phases {
            let whole = phase.rows / ROWS * ROWS;
            for col in (0..phase.cols).step_by(lanes) {
                for row in (0..whole).step_by(ROWS) {
                    self.tile::<S, K, ROWS>(simd, phase, row, col);
                }
                for row in whole..phase.rows {
                    self.tile::<S, K, 1>(simd, phase, row, col);
                }
            }
        }
    }

    /// A vector of each of `R` rows, for `K` channels.
    #[inline(always)]
    fn tile<S: Simd, const K: usize, const R: usize>(&mut self, simd: S, phase: &Phase, row: usize, col: usize) {
        let lanes = size_of::<T::Vector<S>>() / size_of::<T>();
        let Side { ins, w_out, w_in, .. } = *self.side;
        let mut sums = [[T::splat(simd, T::zero()); R]; K];
        for input in 0..ins {
            let source = &self.source[input * self.plan.source.plane() + row * phase.source_row_step + col..];
            let w = &self.w[input * w_in..];
            for tap in &phase.taps {
                let pixels: [T::Vector<S>; R] =
                    std::array::from_fn(|i| bytemuck::cast_slice(&source[tap.offset + i * phase.source_row_step..][..lanes])[0]);
                for (k, sums) in sums.iter_mut().enumerate() {
                    let weight = T::splat(simd, w[k * w_out + tap.weight]);
                    for i in 0..R {
                        sums[i] = T::madd(simd, pixels[i], weight, sums[i]);
                    }
                }
            }
        }
        let count = lanes.min(phase.cols - col);
        for (k, sums) in sums.iter().enumerate() {
            let bias = self.bias.map_or(T::zero(), |b| b[k]);
            for (i, sums) in sums.iter().enumerate() {
                let at = k * self.plane + phase.first + (row + i) * phase.row_step + col * phase.col_step;
                let sums: &[T] = bytemuck::cast_slice(std::slice::from_ref(sums));
                for (y, &sum) in self.y[at..].iter_mut().step_by(phase.col_step).zip(&sums[..count]) {
                    *y = sum + bias;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::Conv2dGeometry;
    use crate::testing::uniform;
    use crate::{Device, Shape};

    #[test]
    fn sums_are_those_with_channels_in_the_lanes_to_the_bit() {
        let strided = Conv2dGeometry { stride: [1, 2], padding: [2, 1].into(), ..Default::default() };
        let grouped = Conv2dGeometry { padding: [1; 2].into(), dilation: [2, 1], groups: 2, ..Default::default() };
        let layers = [
            (Shape::from([2, 3, 9, 37]), Shape::from([1, 3, 4, 4]), strided),
            ([3, 10, 7, 19].into(), [8, 5, 3, 2].into(), grouped),
            ([1, 2, 5, 64].into(), [3, 2, 3, 3].into(), Conv2dGeometry::default()),
            ([2, 4, 6, 33].into(), [4, 2, 3, 3].into(), grouped),
        ];
        for (x, w, g) in layers {
            let y = g.out_shape(x, w).unwrap();
            let l = Layout::new(g, x, w, y);
            let values = |shape: Shape, seed| uniform(&Device::Cpu, shape, seed).to_vec().unwrap();
            let (weights, bias) = (values(w, 1), values([64].into(), 2));
            let forward = Side { outs: l.group_k(), ins: l.group_c(), w_out: l.terms(), w_in: l.taps() };
            let backward = Side { outs: l.group_c(), ins: l.group_k(), w_out: l.taps(), w_in: l.terms() };
            let sides = [(Plan::forward(&l), forward, x, y), (Plan::backward(&l), backward, y, x)];
            for (plan, side, from, to) in sides.into_iter().filter(|(_, side, ..)| side.outs <= OUTS) {
                let source = values(from, 3);
                let (mut wanted, mut got) = (vec![0f32; to.len()], vec![0f32; to.len()]);
                super::super::product(&l, &plan, &side, &source, &weights, Some(&bias), &mut wanted);
                product(&l, &plan, &side, &source, &weights, Some(&bias), &mut got);
                assert!(wanted.iter().zip(&got).all(|(a, b)| a.to_bits() == b.to_bits()), "{from} to {to}");
            }
        }
    }
}
