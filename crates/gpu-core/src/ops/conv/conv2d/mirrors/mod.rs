//! The mirrors: direct sums, with output channels in the lanes of a vector.
//!
//! Columns cost more than their product where there are few channels: each element is written, packed and read again for a handful of
//! multiply-adds. So an image is copied once, with its padding, and a tile of pixels by channels stays in registers over the whole
//! sum; of small planes, a tile of images. What is a matrix product as it stands is left to `gemm`.

mod across;
mod across_weight;
mod columns;
mod depthwise;
mod depthwise_small;
mod few;
mod folded;
mod plan;
mod product;
mod sampled;
mod side;
mod tiles;
mod weight;

use super::layout::Layout;
use crate::mirror::{Real, for_each_chunk};
use crate::unchecked::{Into, MatRef, gemm};
use across::Places;
pub(super) use columns::{col2im, im2col};
pub(super) use depthwise::{depthwise_backward_w, depthwise_backward_x, depthwise_forward};
use plan::{FEW, Plan};
use product::product;
use side::Side;

/// Whether an output pixel comes of the input pixel at its place, and of no other.
fn is_pointwise(l: &Layout) -> bool {
    l.taps() == 1 && l.stride == [1, 1] && l.padding == [0, 0] && (l.p, l.q) == (l.h, l.w)
}

/// y = conv(x, w) + bias.
pub(super) fn forward<T: Real>(l: &Layout, x: &[T], w: &[T], bias: Option<&[T]>, y: &mut [T]) {
    if let Some(dense) = sampled::dense(l) {
        return forward(&dense, &sampled::read(l, x), w, bias, y);
    }
    let side = Side { outs: l.group_k(), ins: l.group_c(), w_out: l.terms(), w_in: l.taps() };
    let to_y = Direction { side, plane: l.p * l.q, plan: Plan::forward, places: Places::forward };
    sum_planes(l, &to_y, x, w, bias, y);
}

/// dx of the convolution; with a bias, the forward pass of a transposed one.
pub(super) fn backward_x<T: Real>(l: &Layout, dy: &[T], w: &[T], bias: Option<&[T]>, dx: &mut [T]) {
    if let Some(dense) = sampled::dense(l) {
        return sampled::backward_x(l, bias, dx, |read| backward_x(&dense, dy, w, None, read));
    }
    let side = Side { outs: l.group_c(), ins: l.group_k(), w_out: l.taps(), w_in: l.terms() };
    let to_dx = Direction { side, plane: l.h * l.w, plan: Plan::backward, places: Places::backward };
    sum_planes(l, &to_dx, dy, w, bias, dx);
}

/// A convolution from x to y, or from dy to dx.
struct Direction {
    side: Side,
    /// Elements of an output plane.
    plane: usize,
    /// What outputs read, by rows and by places.
    plan: fn(&Layout) -> Plan,
    places: fn(&Layout) -> Places,
}

/// The output planes, by the way that costs least.
fn sum_planes<T: Real>(l: &Layout, direction: &Direction, x: &[T], w: &[T], bias: Option<&[T]>, y: &mut [T]) {
    let &Direction { ref side, plane, plan, places } = direction;
    if folded::is_cheaper(l) {
        return folded::product(l, side, x, w, bias, y);
    }
    let plan = plan(l);
    match Places::where_cheaper(l, plane, places, sum_cost(l, &plan)) {
        Some(places) => across::product(l, &places, side, x, w, bias, y),
        None if is_pointwise(l) => pointwise(l, side, x, w, bias, y),
        None if few::suits::<T>(side, &plan) => few::product(l, &plan, side, x, w, bias, y),
        None => product(l, &plan, side, x, w, bias, y),
    }
}

/// What a plane costs without [`across`], in multiply-adds for each pair of channels.
fn sum_cost(l: &Layout, plan: &Plan) -> usize {
    match is_pointwise(l) {
        // A matrix product of few columns, which is not worth its packing.
        true if l.n >= 8 => l.p * l.q + 8,
        true => 0,
        false => plan.cost(),
    }
}

/// dw of the convolution.
pub(super) fn backward_w<T: Real>(l: &Layout, x: &[T], dy: &[T], dw: &mut [T]) {
    if let Some(dense) = sampled::dense(l) {
        return backward_w(&dense, &sampled::read(l, x), dy, dw);
    }
    if folded::is_cheaper_for_weights(l) {
        return folded::backward_w(l, x, dy, dw);
    }
    let pixels = l.p * l.q;
    let direct = match is_pointwise(l) {
        true if l.n >= 8 => pixels + 20,
        true => 0,
        // All sums are read and written once an image.
        false => l.taps() * (pixels + 3),
    };
    match Places::where_cheaper(l, pixels, Places::forward, direct) {
        Some(places) => across_weight::backward_w(l, &places, x, dy, dw),
        None => weight::backward_w(l, x, dy, dw),
    }
}

/// A matrix product packs all weights anew for every image: worth it for few images, so many columns, or so few weights.
const SMALL: usize = 64;
const MANY: usize = 1 << 13;

/// The matrix product of each group's weights and planes.
fn pointwise<T: Real>(l: &Layout, side: &Side, x: &[T], w: &[T], bias: Option<&[T]>, y: &mut [T]) {
    let pixels = l.h * l.w;
    if l.n >= FEW && pixels < SMALL && side.outs * side.ins >= MANY {
        let row = Layout { h: 1, w: pixels, p: 1, q: pixels, ..*l };
        return product(&row, &Plan::forward(&row), side, x, w, bias, y);
    }
    let (x_group, y_group, w_group) = (side.ins * pixels, side.outs * pixels, side.outs * side.ins);
    for_each_chunk(y, y_group, &|i, y| {
        let group = i % l.groups;
        for (k, plane) in y.chunks_mut(pixels).enumerate() {
            plane.fill(bias.map_or(T::zero(), |b| b[group * side.outs + k]));
        }
        let w = MatRef { data: &w[group * w_group..][..w_group], row: side.w_out, col: side.w_in };
        let x = MatRef { data: &x[i * x_group..][..x_group], row: pixels, col: 1 };
        gemm((side.outs, pixels, side.ins), w, x, y, pixels, Into::Add, 1);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::{Conv2dGeometry, conv2d, conv2d_bwd_x};
    use crate::testing::uniform;
    use crate::{Device, Shape, Tensor};

    fn bits(t: &Tensor) -> Vec<u32> {
        t.to_vec().unwrap().into_iter().map(f32::to_bits).collect()
    }

    /// Images alone are summed directly; where there are many, small planes are turned.
    #[test]
    fn an_image_has_the_same_bits_alone_and_in_a_batch() {
        let strided = Conv2dGeometry { stride: [2, 1], padding: [1, 2].into(), ..Default::default() };
        let grouped = Conv2dGeometry { padding: [1; 2].into(), dilation: [1, 2], groups: 2, ..Default::default() };
        let layers = [
            (Shape::from([70, 33, 5, 4]), Shape::from([40, 33, 3, 3]), strided),
            ([9, 64, 3, 6].into(), [80, 32, 3, 2].into(), grouped),
        ];
        for (x, w, g) in layers {
            let y = g.out_shape(x, w).unwrap();
            let l = Layout::new(g, x, w, y);
            let turned = Places::where_cheaper(&l, l.p * l.q, Places::forward, sum_cost(&l, &Plan::forward(&l)));
            assert!(turned.is_some(), "{x} and {w} are summed directly in a batch as well");
            let [x_all, w_all, dy_all] = [(x, 1), (w, 2), (y, 3)].map(|(shape, seed)| uniform(&Device::Cpu, shape, seed));
            let bias = uniform(&Device::Cpu, [w.dim(0)], 4);
            let batch = [conv2d(&x_all, &w_all, Some(&bias), g), conv2d_bwd_x(&dy_all, &w_all, x, g)].map(|t| bits(&t));
            let one = |shape: Shape| Shape::from([1, shape.dim(1), shape.dim(2), shape.dim(3)]);
            let (mut ys, mut dxs) = (Vec::new(), Vec::new());
            for image in 0..x.n() {
                let alone = |of: &Tensor, shape: Shape| {
                    let len = one(shape).len();
                    Tensor::from_slice(&Device::Cpu, one(shape), &of.to_vec().unwrap()[image * len..][..len])
                };
                ys.extend(bits(&conv2d(&alone(&x_all, x), &w_all, Some(&bias), g)));
                dxs.extend(bits(&conv2d_bwd_x(&alone(&dy_all, y), &w_all, one(x), g)));
            }
            assert!(batch[0] == ys, "y of {x} and {w}");
            assert!(batch[1] == dxs, "dx of {x} and {w}");
        }
    }
}
