//! Depthwise convolution: `groups` = input channels, with kernels of its own, since nothing is summed over channels.

use super::layout::{Layout, bias_of};
use super::{mirror, weight};
use crate::kernel::{Args, Grid, Kernel, kernel};
use crate::mirror::Real;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

const WGSL: &str =
    concat!(include_str!("../../../../../shaders/conv_taps.wgsl"), include_str!("../../../../../shaders/depthwise.wgsl"));
static DEPTHWISE: Kernel = kernel!(WGSL, "depthwise", depthwise_cpu);
static DEPTHWISE_BWD_X: Kernel = kernel!(WGSL, "depthwise_bwd_x", depthwise_bwd_x_cpu);
static DEPTHWISE_BWD_W: Kernel = kernel!(WGSL, "depthwise_bwd_w", depthwise_bwd_w_cpu);
pub(super) const KERNELS: &[&Kernel] = &[&DEPTHWISE, &DEPTHWISE_BWD_X, &DEPTHWISE_BWD_W];

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
    mirror::depthwise_forward::<T>(&l, args.input(0), args.input(1), bias_of(args), args.output(0));
}

fn depthwise_bwd_x_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let l = Layout::of(args, [p.batch, p.out_c, p.out_h, p.out_w], [p.in_c, p.in_h, p.in_w], p.out_c);
    mirror::depthwise_backward_x::<T>(&l, args.input(0), args.input(1), bias_of(args), args.output(0));
}

fn depthwise_bwd_w_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let l = Layout::of(args, [p.batch, p.in_c, p.in_h, p.in_w], [p.out_c, p.out_h, p.out_w], p.in_c);
    mirror::depthwise_backward_w::<T>(&l, p.pixels_per_split as usize, args.input(0), args.input(1), args.output(0));
}

/// Whether these kernels serve the weight gradient too.
pub(super) fn fits(l: &Layout) -> bool {
    l.taps() <= MAX_TAPS
}

/// Whether four columns of a row meet four columns of the other tensor and the two beside them.
fn goes_by_four(l: &Layout) -> bool {
    let three = l.s == 3 && l.stride[1] == 1 && l.dilation[1] == 1 && l.padding[1] == 1;
    three && l.w == l.q && l.w.is_multiple_of(4)
}

fn constants(l: &Layout, transposed: bool, bias: bool) -> Vec<(&'static str, u32)> {
    let mut constants = l.constants(transposed);
    constants.extend([("HAS_BIAS", bias.into()), ("FOURS", goes_by_four(l).into())]);
    constants
}

#[track_caller]
pub(super) fn forward(l: &Layout, x: &Tensor, w: &Tensor, bias: Option<&Tensor>, y: &Tensor) {
    let grid = Grid::linear(l.n * l.k * l.p * l.q.div_ceil(4), 64).trips(l.taps() + l.r);
    let inputs = [x, w, bias.unwrap_or(w)];
    DEPTHWISE.with(&constants(l, false, bias.is_some())).launch(Params::forward(l), &inputs, &[y], grid);
}

#[track_caller]
pub(super) fn backward_x(l: &Layout, dy: &Tensor, w: &Tensor, bias: Option<&Tensor>, dx: &Tensor) {
    let trips = (l.taps() + l.r + 1) * (l.k / l.c);
    let grid = Grid::linear(l.n * l.c * l.h * l.w.div_ceil(4), 64).trips(trips);
    let inputs = [dy, w, bias.unwrap_or(w)];
    DEPTHWISE_BWD_X.with(&constants(l, true, bias.is_some())).launch(Params::backward(l), &inputs, &[dx], grid);
}

#[track_caller]
pub(super) fn backward_w(l: &Layout, x: &Tensor, dy: &Tensor, dw: &Tensor) {
    let pixels = l.n * l.p * l.q;
    let pixels_per_split = if dw.device().is_gpu() { LANES * PIXELS_PER_LANE } else { pixels.max(1) };
    let splits = pixels.div_ceil(pixels_per_split).max(1);
    let partial = if splits == 1 { dw.clone() } else { Tensor::empty(dw.device(), [splits, dw.len()]) };
    let params = Params { pixels_per_split: pixels_per_split as u32, splits: splits as u32, ..Params::forward(l) };
    let trips = PIXELS_PER_LANE * (l.taps() + l.r + 1) + 10 * l.taps();
    let grid = Grid::folded(splits * l.k).trips(trips);
    DEPTHWISE_BWD_W.with(&constants(l, false, false)).launch(params, &[x, dy], &[&partial], grid);
    if splits > 1 {
        weight::sum_splits(&l.constants(false), &partial, dw);
    }
}
