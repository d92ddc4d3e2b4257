//! The implicit matrix product that gathers: forward pass, input gradient and transposed convolution are one kernel.

use super::layout::{Form, Layout, bias_of};
use super::mirror;
use crate::kernel::{Args, Grid, Kernel, kernel};
use crate::mirror::Real;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

const TILED: &str = concat!(
    include_str!("../../../../../shaders/conv_taps.wgsl"),
    include_str!("../../../../../shaders/conv2d.wgsl"),
    include_str!("../../../../../shaders/conv2d_tiled.wgsl")
);
const REG: &str = concat!(
    include_str!("../../../../../shaders/conv_taps.wgsl"),
    include_str!("../../../../../shaders/conv2d.wgsl"),
    include_str!("../../../../../shaders/conv2d_reg.wgsl")
);
static CONV2D_TILED: Kernel = kernel!(TILED, "conv2d_tiled", conv2d_cpu);
static CONV2D_REG: Kernel = kernel!(REG, "conv2d_reg", conv2d_cpu);
static CONV2D_ROW3: Kernel = kernel!(REG, "conv2d_row3", conv2d_cpu);
static CONV2D_BWD_X_TILED: Kernel = kernel!(TILED, "conv2d_bwd_x_tiled", conv2d_bwd_x_cpu);
static CONV2D_BWD_X_REG: Kernel = kernel!(REG, "conv2d_bwd_x_reg", conv2d_bwd_x_cpu);
static CONV2D_BWD_X_ROW3: Kernel = kernel!(REG, "conv2d_bwd_x_row3", conv2d_bwd_x_cpu);
pub(super) const KERNELS: &[&Kernel] =
    &[&CONV2D_TILED, &CONV2D_REG, &CONV2D_ROW3, &CONV2D_BWD_X_TILED, &CONV2D_BWD_X_REG, &CONV2D_BWD_X_ROW3];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    batch: u32,
    groups: u32,
    in_c: u32,
    out_c: u32,
    in_h: u32,
    in_w: u32,
    out_h: u32,
    out_w: u32,
    w_group: u32,
    w_out: u32,
    w_in: u32,
    tiles_c: u32,
    tiles_p: u32,
}

/// Which way the taps run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// x to y.
    Forward,
    /// dy to dx, and the forward pass of a transposed convolution.
    Backward,
}

fn conv2d_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let x = [p.batch, p.groups * p.in_c, p.in_h, p.in_w];
    let l = Layout::of(args, x, [p.groups * p.out_c, p.out_h, p.out_w], p.groups);
    mirror::forward::<T>(&l, args.input(0), args.input(1), bias_of(args), args.output(0));
}

fn conv2d_bwd_x_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let x = [p.batch, p.groups * p.out_c, p.out_h, p.out_w];
    let l = Layout::of(args, x, [p.groups * p.in_c, p.in_h, p.in_w], p.groups);
    mirror::backward_x::<T>(&l, args.input(0), args.input(1), bias_of(args), args.output(0));
}

/// Gathers `to` from `from`.
#[track_caller]
pub(super) fn launch(l: &Layout, direction: Direction, form: Form, from: &Tensor, w: &Tensor, bias: Option<&Tensor>, to: &Tensor) {
    let forward = direction == Direction::Forward;
    let x_side = (l.group_c(), l.h, l.w);
    let y_side = (l.group_k(), l.p, l.q);
    let ((in_c, in_h, in_w), (out_c, out_h, out_w)) = if forward { (x_side, y_side) } else { (y_side, x_side) };
    let (along_k, along_c) = (l.terms(), l.taps());
    let (w_out, w_in) = if forward { (along_k, along_c) } else { (along_c, along_k) };
    // As few rows of invocations as the channels fill.
    let wg_y = if out_c <= 32 && form == Form::Tiled { 4 } else { 8 };
    let (tile_c, tiles_p) = match form {
        Form::Tiled => (8 * wg_y, (l.n * out_h * out_w).div_ceil(128)),
        Form::Reg => (8, (l.n * out_h * out_w).div_ceil(16)),
        Form::Row3 => (8, (l.n * out_h * out_w.div_ceil(8)).div_ceil(2)),
    };
    let tiles_c = out_c.div_ceil(tile_c);
    let params = Params {
        batch: l.n as u32,
        groups: l.groups as u32,
        in_c: in_c as u32,
        out_c: out_c as u32,
        in_h: in_h as u32,
        in_w: in_w as u32,
        out_h: out_h as u32,
        out_w: out_w as u32,
        w_group: (l.group_k() * l.terms()) as u32,
        w_out: w_out as u32,
        w_in: w_in as u32,
        tiles_c: tiles_c as u32,
        tiles_p: tiles_p as u32,
    };
    let mut constants = l.constants(!forward);
    constants.extend([("HAS_BIAS", u32::from(bias.is_some())), ("WG_Y", wg_y as u32)]);
    let tiles = l.groups * tiles_c * tiles_p;
    let terms = in_c * l.taps();
    let grid = match form {
        Form::Tiled => Grid::folded(tiles).trips(terms.div_ceil(8) * 36 + 32),
        Form::Reg => Grid::linear(tiles, 8).trips(terms + in_c + 160),
        Form::Row3 => Grid::linear(tiles, 8).trips(in_c * (l.r + 1) + 160),
    };
    let kernel = match (form, direction) {
        (Form::Tiled, Direction::Forward) => &CONV2D_TILED,
        (Form::Reg, Direction::Forward) => &CONV2D_REG,
        (Form::Row3, Direction::Forward) => &CONV2D_ROW3,
        (Form::Tiled, Direction::Backward) => &CONV2D_BWD_X_TILED,
        (Form::Reg, Direction::Backward) => &CONV2D_BWD_X_REG,
        (Form::Row3, Direction::Backward) => &CONV2D_BWD_X_ROW3,
    };
    kernel.with(&constants).launch(params, &[from, w, bias.unwrap_or(w)], &[to], grid);
}
