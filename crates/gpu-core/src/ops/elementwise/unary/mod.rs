//! Functions of one element: `y[i] = f(x[i])`, with their gradients, and tests of floats.
//!
//! The function is a constant of the kernel's header: a pipeline each, compiled when it is first used, instead of a switch that would
//! cost a square root the registers of an error function.

mod functions;
mod gradients;
mod parametric;

pub use functions::{
    abs, ceil, cos, erf, exp, expm1, floor, log, log1p, neg, reciprocal, round, rsqrt, sign, sin, sqrt, square, tan,
};
pub use gradients::{
    abs_bwd_x, clamp_bwd_x, cos_bwd_x, erf_bwd_x, expm1_bwd_x, log1p_bwd_x, pow_scalar_bwd_x, reciprocal_bwd_x, rsqrt_bwd_x,
    scalar_pow_bwd_x, sin_bwd_x, sqrt_bwd_x, square_bwd_x, std_bwd_var, tan_bwd_x,
};
pub use parametric::{add_scalar, clamp, isfinite, isinf, isnan, pow_scalar, scalar_pow};

use crate::kernel::{Grid, Kernel};
use bytemuck::{Pod, Zeroable};

const WGSL: &str = concat!(wgsl!("math.wgsl"), wgsl!("unary.wgsl"));
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&functions::UNARY, &parametric::UNARY_TEST, &gradients::UNARY_BWD_X];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    len: u32,
    p: f32,
    q: f32,
}

fn grid(len: usize) -> Grid {
    Grid::linear(len.div_ceil(4), 256)
}
