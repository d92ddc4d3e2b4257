//! Functions of one element, and their derivatives.
//!
//! Two kernels serve all of them; which function it is stands in their header. A derivative is computed from the output `y` where
//! it can be, so that `x` need not be kept, and else from `x`. A NaN passes through all of them, as in PyTorch.

mod mirror;
mod params;
mod rectifiers;
mod smooth;
#[cfg(test)]
mod tests;

pub use rectifiers::{
    elu, elu_bwd_x, hardsigmoid, hardsigmoid_bwd_x, hardswish, hardswish_bwd_x, leaky_relu, leaky_relu_bwd_x, relu, relu_bwd_x,
    relu6, relu6_bwd_x, selu, selu_bwd_x,
};
pub use smooth::{
    gelu, gelu_bwd_x, gelu_tanh, gelu_tanh_bwd_x, mish, mish_bwd_x, sigmoid, sigmoid_bwd_x, silu, silu_bwd_x, softplus,
    softplus_bwd_x, tanh, tanh_bwd_x,
};

use crate::expect;
use crate::kernel::{Grid, Kernel, kernel};
use crate::tensor::Tensor;
use mirror::{activation_bwd_x_cpu, activation_cpu};
use params::{Params, kind};

const WGSL: &str = wgsl!("activation.wgsl");
static ACTIVATION: Kernel = kernel!(WGSL, "activation", activation_cpu);
static ACTIVATION_BWD_X: Kernel = kernel!(WGSL, "activation_bwd_x", activation_bwd_x_cpu);
pub(super) const KERNELS: &[&Kernel] = &[&ACTIVATION, &ACTIVATION_BWD_X];

fn grid(len: usize) -> Grid {
    Grid::linear(len.div_ceil(4), 256)
}

/// Function `kind` of `x`, with its two numbers.
#[track_caller]
fn forward(op: &str, kind: u32, [a, b]: [f32; 2], x: &Tensor) -> Tensor {
    expect::f32s(op, &[("x", x)]);
    let y = Tensor::empty(x.device(), x.shape());
    ACTIVATION.with(&[("KIND", kind)]).launch(Params { len: x.len() as u32, a, b }, &[x], &[&y], grid(x.len()));
    y
}

/// `dy` times the derivative of function `kind`, from what was kept (`kept.0` is its name).
#[track_caller]
fn backward(op: &str, kind: u32, [a, b]: [f32; 2], kept: (&str, &Tensor), dy: &Tensor) -> Tensor {
    expect::f32s(op, &[kept, ("dy", dy)]);
    expect::one_shape(op, &[kept, ("dy", dy)]);
    let dx = Tensor::empty(dy.device(), dy.shape());
    let p = Params { len: dy.len() as u32, a, b };
    ACTIVATION_BWD_X.with(&[("KIND", kind)]).launch(p, &[kept.1, dy], &[&dx], grid(dy.len()));
    dx
}
