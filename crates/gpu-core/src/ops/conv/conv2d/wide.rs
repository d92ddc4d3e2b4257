//! A workgroup for each element: for sums that one invocation would loop over too often, where there is not much else to compute.

use super::gather::{Direction, Params, conv2d_bwd_x_cpu, conv2d_cpu};
use super::layout::Layout;
use super::weight::{self, conv2d_bwd_w_cpu};
use crate::kernel::{Grid, Kernel, kernel};
use crate::tensor::Tensor;
use crate::work;

const WGSL: &str = concat!(wgsl!("conv_taps.wgsl"), wgsl!("conv2d.wgsl"), wgsl!("conv2d_wide.wgsl"));
static CONV2D_WIDE: Kernel = kernel!(WGSL, "conv2d_wide", conv2d_cpu);
static CONV2D_BWD_X_WIDE: Kernel = kernel!(WGSL, "conv2d_bwd_x_wide", conv2d_bwd_x_cpu);
const WEIGHT: &str = concat!(wgsl!("conv_taps.wgsl"), wgsl!("conv2d_bwd_w.wgsl"), wgsl!("conv2d_bwd_w_wide.wgsl"));
static CONV2D_BWD_W_WIDE: Kernel = kernel!(WEIGHT, "conv2d_bwd_w_wide", conv2d_bwd_w_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&CONV2D_WIDE, &CONV2D_BWD_X_WIDE, &CONV2D_BWD_W_WIDE];

/// Invocations of a workgroup.
const LANES: usize = 256;
/// A product here takes as long as so many by tiles, which load each number once for many.
const SLOWER: usize = 16;

/// The most products of one sum: a gradient walks the places that reach an element, not the taps.
fn products(l: &Layout, direction: Direction) -> usize {
    let reaching =
        |taps: usize, axis: usize, extent: usize| (l.dilation[axis] * (taps - 1) + 1).div_ceil(l.stride[axis]).min(extent);
    match direction {
        Direction::Forward => l.terms(),
        Direction::Backward => l.group_k() * reaching(l.r, 0, l.p) * reaching(l.s, 1, l.q),
    }
}

/// Loop iterations of an invocation, those of the sum over the lanes with them.
fn trips(l: &Layout, direction: Direction) -> usize {
    products(l, direction).div_ceil(LANES) + 8
}

/// Whether this is less work than tiles of 32 channels by 128 pixels, most of which may be empty, over all taps.
pub(super) fn suits(l: &Layout, direction: Direction) -> bool {
    let (in_c, [out_c, out_h, out_w]) = direction.of(l);
    let pixels = l.n * out_h * out_w;
    let here = work::flops(&[l.groups, out_c, pixels, products(l, direction).next_multiple_of(LANES), SLOWER]);
    let by_tiles = work::flops(&[l.groups, out_c.next_multiple_of(32), pixels.next_multiple_of(128), in_c * l.taps()]);
    here <= by_tiles && trips(l, direction) as u64 <= crate::MAX_TRIPS
}

/// Gathers `to` from `from`.
#[track_caller]
pub(super) fn launch(l: &Layout, direction: Direction, from: &Tensor, w: &Tensor, bias: Option<&Tensor>, to: &Tensor) {
    let kernel = if direction == Direction::Forward { &CONV2D_WIDE } else { &CONV2D_BWD_X_WIDE };
    let (params, inputs) = (Params::new(l, direction, [0; 4]), [from, w, bias.unwrap_or(w)]);
    let mut constants = l.constants(direction == Direction::Backward);
    constants.push(("HAS_BIAS", u32::from(bias.is_some())));
    for part in to.device().work().dispatches(to.len(), work::flops(&[to.len(), products(l, direction)])) {
        let grid = Grid::folded(part.len()).trips(trips(l, direction));
        kernel.with(&constants).launch(params.from(part.start), &inputs, &[to], grid);
    }
}

/// dw of the convolution `l`.
#[track_caller]
pub(super) fn backward_w(l: &Layout, x: &Tensor, dy: &Tensor, dw: &Tensor) {
    let (params, pixels) = (weight::Params::new(l), l.n * l.p * l.q);
    for part in dw.device().work().dispatches(dw.len(), l.flops()) {
        let grid = Grid::folded(part.len()).trips(pixels.div_ceil(LANES) + 8);
        CONV2D_BWD_W_WIDE.with(&l.constants(false)).launch(params.from(part.start), &[x, dy], &[dw], grid);
    }
}
