//! The mirrors: direct sums, with output channels in the lanes of a vector.
//!
//! Columns cost more than their product where there are few channels: each element is written, packed and read again for a handful of
//! multiply-adds. So an image is copied once, with its padding, and a tile of pixels by channels stays in registers over the whole
//! sum. What is a matrix product as it stands is left to `gemm`.

mod columns;
mod depthwise;
mod plan;
mod product;
mod side;
mod weight;

use super::layout::Layout;
use crate::mirror::{Real, for_each_chunk};
use crate::unchecked::{Into, MatRef, gemm};
pub(super) use columns::{col2im, im2col};
pub(super) use depthwise::{depthwise_backward_w, depthwise_backward_x, depthwise_forward};
use plan::Plan;
use product::product;
use side::Side;
pub(super) use weight::backward_w;

/// Whether an output pixel comes of the input pixel at its place, and of no other.
fn is_pointwise(l: &Layout) -> bool {
    l.taps() == 1 && l.stride == [1, 1] && l.padding == [0, 0] && (l.p, l.q) == (l.h, l.w)
}

/// y = conv(x, w) + bias.
pub(super) fn forward<T: Real>(l: &Layout, x: &[T], w: &[T], bias: Option<&[T]>, y: &mut [T]) {
    let side = Side { outs: l.group_k(), ins: l.group_c(), w_out: l.terms(), w_in: l.taps() };
    match is_pointwise(l) {
        true => pointwise(l, &side, x, w, bias, y),
        false => product(l, &Plan::forward(l), &side, x, w, bias, y),
    }
}

/// dx of the convolution; with a bias, the forward pass of a transposed one.
pub(super) fn backward_x<T: Real>(l: &Layout, dy: &[T], w: &[T], bias: Option<&[T]>, dx: &mut [T]) {
    let side = Side { outs: l.group_c(), ins: l.group_k(), w_out: l.taps(), w_in: l.terms() };
    match is_pointwise(l) {
        true => pointwise(l, &side, dy, w, bias, dx),
        false => product(l, &Plan::backward(l), &side, dy, w, bias, dx),
    }
}

/// The matrix product of each group's weights and planes.
fn pointwise<T: Real>(l: &Layout, side: &Side, x: &[T], w: &[T], bias: Option<&[T]>, y: &mut [T]) {
    let pixels = l.h * l.w;
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
