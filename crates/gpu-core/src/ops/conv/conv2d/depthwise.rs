//! Depthwise convolution: `groups` = input channels, with kernels of its own, since nothing is summed over channels.

use super::layout::{Layout, bias_of};
use super::{mirrors, weight};
use crate::kernel::{Args, Grid, Kernel, Specialised, kernel};
use crate::mirror::Real;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

const WGSL: &str = concat!(wgsl!("conv_taps.wgsl"), wgsl!("depthwise.wgsl"));
static DEPTHWISE: Kernel = kernel!(WGSL, "depthwise", depthwise_cpu);
static DEPTHWISE_BWD_X: Kernel = kernel!(WGSL, "depthwise_bwd_x", depthwise_bwd_x_cpu);
static DEPTHWISE_BWD_W: Kernel = kernel!(WGSL, "depthwise_bwd_w", depthwise_bwd_w_cpu);
// For the common taps.
static DEPTHWISE_BY4: Kernel = kernel!(WGSL, "depthwise_by4", depthwise_cpu);
static DEPTHWISE_BWD_X_BY4: Kernel = kernel!(WGSL, "depthwise_bwd_x_by4", depthwise_bwd_x_cpu);
static DEPTHWISE_BWD_W_BY4: Kernel = kernel!(WGSL, "depthwise_bwd_w_by4", depthwise_bwd_w_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] =
    &[&DEPTHWISE, &DEPTHWISE_BWD_X, &DEPTHWISE_BWD_W, &DEPTHWISE_BY4, &DEPTHWISE_BWD_X_BY4, &DEPTHWISE_BWD_W_BY4];

/// Lanes of the weight gradient's workgroup.
const LANES: usize = 64;
/// Pixels that a lane adds up before a split ends: enough to pay for the tree that follows.
const PIXELS_PER_LANE: usize = 64;
/// Taps whose sums fit into workgroup memory.
const MAX_TAPS: usize = 64;

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    batch: u32,
    in_c: u32,
    out_c: u32,
    in_h: u32,
    in_w: u32,
    out_h: u32,
    out_w: u32,
    pixels_per_split: u32,
    splits: u32,
    first: u32,
}

impl Params {
    fn forward(l: &Layout) -> Self {
        Self {
            batch: l.n as u32,
            in_c: l.c as u32,
            out_c: l.k as u32,
            in_h: l.h as u32,
            in_w: l.w as u32,
            out_h: l.p as u32,
            out_w: l.q as u32,
            pixels_per_split: 0,
            splits: 1,
            first: 0,
        }
    }
    fn backward(l: &Layout) -> Self {
        let f = Self::forward(l);
        Self { in_c: f.out_c, out_c: f.in_c, in_h: f.out_h, in_w: f.out_w, out_h: f.in_h, out_w: f.in_w, ..f }
    }
}

fn depthwise_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let l = Layout::of(args, [p.batch, p.in_c, p.in_h, p.in_w], [p.out_c, p.out_h, p.out_w], p.in_c);
    mirrors::depthwise_forward::<T>(&l, args.input(0), args.input(1), bias_of(args), args.output(0));
}

fn depthwise_bwd_x_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let l = Layout::of(args, [p.batch, p.out_c, p.out_h, p.out_w], [p.in_c, p.in_h, p.in_w], p.out_c);
    mirrors::depthwise_backward_x::<T>(&l, args.input(0), args.input(1), bias_of(args), args.output(0));
}

fn depthwise_bwd_w_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let l = Layout::of(args, [p.batch, p.in_c, p.in_h, p.in_w], [p.out_c, p.out_h, p.out_w], p.in_c);
    mirrors::depthwise_backward_w::<T>(&l, p.pixels_per_split as usize, args.input(0), args.input(1), args.output(0));
}

/// Whether these kernels serve the weight gradient too.
pub(super) fn fits(l: &Layout) -> bool {
    l.taps() <= MAX_TAPS
}

/// Whether four columns of a row meet four columns of the other tensor and the two beside them, in up to three rows.
fn goes_by_four(l: &Layout) -> bool {
    let three = l.s == 3 && l.stride[1] == 1 && l.dilation[1] == 1 && l.padding[1] == 1;
    three && l.r <= 3 && l.w == l.q && l.w.is_multiple_of(4)
}

/// The kernel that serves a convolution, with its constants.
fn kernel_of(l: &Layout, [any, by4]: [&'static Kernel; 2], transposed: bool, bias: bool) -> Specialised {
    let mut constants = l.constants(transposed);
    constants.push(("HAS_BIAS", bias.into()));
    if goes_by_four(l) { by4.with(&constants) } else { any.with(&constants) }
}

/// One launch for each of the dispatches that `groups` workgroups are cut into.
#[track_caller]
fn launch(
    l: &Layout,
    kernel: impl Fn() -> Specialised,
    params: Params,
    inputs: &[&Tensor],
    to: &Tensor,
    groups: usize,
    trips: usize,
) {
    for range in to.device().work().dispatches(groups, l.flops()) {
        let params = Params { first: range.start as u32, ..params };
        kernel().launch(params, inputs, &[to], Grid::folded(range.len()).trips(trips));
    }
}

/// Loop iterations for four elements of y.
pub(super) fn forward_trips(l: &Layout) -> usize {
    l.taps() + l.r
}

/// The same for dx.
pub(super) fn backward_x_trips(l: &Layout) -> usize {
    (l.taps() + l.r + 1) * (l.k / l.c)
}

#[track_caller]
pub(super) fn forward(l: &Layout, x: &Tensor, w: &Tensor, bias: Option<&Tensor>, y: &Tensor) {
    let (inputs, fours) = ([x, w, bias.unwrap_or(w)], l.n * l.k * l.p * l.q.div_ceil(4));
    let kernel = || kernel_of(l, [&DEPTHWISE, &DEPTHWISE_BY4], false, bias.is_some());
    launch(l, kernel, Params::forward(l), &inputs, y, fours.div_ceil(64), forward_trips(l));
}

#[track_caller]
pub(super) fn backward_x(l: &Layout, dy: &Tensor, w: &Tensor, bias: Option<&Tensor>, dx: &Tensor) {
    let (inputs, fours) = ([dy, w, bias.unwrap_or(w)], l.n * l.c * l.h * l.w.div_ceil(4));
    let kernel = || kernel_of(l, [&DEPTHWISE_BWD_X, &DEPTHWISE_BWD_X_BY4], true, bias.is_some());
    launch(l, kernel, Params::backward(l), &inputs, dx, fours.div_ceil(64), backward_x_trips(l));
}

#[track_caller]
pub(super) fn backward_w(l: &Layout, x: &Tensor, dy: &Tensor, dw: &Tensor) {
    let pixels = l.n * l.p * l.q;
    let pixels_per_split = dw.device().work().part_of(pixels.max(1), LANES * PIXELS_PER_LANE);
    let splits = pixels.div_ceil(pixels_per_split).max(1);
    let partial = if splits == 1 { dw.clone() } else { Tensor::empty(dw.device(), [splits, dw.len()]) };
    let params = Params { pixels_per_split: pixels_per_split as u32, splits: splits as u32, ..Params::forward(l) };
    let trips = PIXELS_PER_LANE * (l.taps() + l.r + 1) + 10 * l.taps();
    let kernel = || kernel_of(l, [&DEPTHWISE_BWD_W, &DEPTHWISE_BWD_W_BY4], false, false);
    launch(l, kernel, params, &[x, dy], &partial, splits * l.k, trips);
    if splits > 1 {
        weight::sum_splits(&l.constants(false), &partial, dw);
    }
}
