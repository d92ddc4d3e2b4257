//! Functions of one element, and their derivatives.
//!
//! Two kernels serve all of them; which function it is stands in their header. A derivative is computed from the output `y` where
//! it can be, so that `x` need not be kept, and else from `x`. A NaN passes through all of them, as in PyTorch.

mod mirror;
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

use crate::check::{self, Bench, Bound, Case};
use crate::device::Device;
use crate::expect;
use crate::kernel::{Grid, Kernel, kernel};
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};
use mirror::{activation_bwd_x_cpu, activation_cpu};

const WGSL: &str = wgsl!("activation.wgsl");
static ACTIVATION: Kernel = kernel!(WGSL, "activation", activation_cpu);
static ACTIVATION_BWD_X: Kernel = kernel!(WGSL, "activation_bwd_x", activation_bwd_x_cpu);
pub(super) const KERNELS: &[&Kernel] = &[&ACTIVATION, &ACTIVATION_BWD_X];

/// The functions, as the header's `KIND` numbers them.
mod kind {
    pub const RELU: u32 = 0;
    pub const LEAKY_RELU: u32 = 1;
    pub const RELU6: u32 = 2;
    pub const ELU: u32 = 3;
    pub const HARDSIGMOID: u32 = 4;
    pub const HARDSWISH: u32 = 5;
    pub const SIGMOID: u32 = 6;
    pub const TANH: u32 = 7;
    pub const SOFTPLUS: u32 = 8;
    pub const SILU: u32 = 9;
    pub const GELU: u32 = 10;
    pub const GELU_TANH: u32 = 11;
    pub const MISH: u32 = 12;
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    len: u32,
    a: f32,
    b: f32,
}

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

/// A function with options, and its gradient from what it keeps.
#[derive(Clone, Copy)]
struct Function {
    name: &'static str,
    keeps_y: bool,
    f: fn(&Tensor) -> Tensor,
    bwd: fn(&Tensor, &Tensor) -> Tensor,
    /// How far the kernel may be from the mirror, as a part of the largest element: 0 where both round the same.
    bound: f32,
}

impl Function {
    fn gradient(&self, x: &Tensor, dy: &Tensor) -> Tensor {
        if self.keeps_y { (self.bwd)(&(self.f)(x), dy) } else { (self.bwd)(x, dy) }
    }
}

/// Every function, with every kind of option.
fn functions() -> Vec<Function> {
    const Y: bool = true;
    const X: bool = false;
    // `exp` and division are rounded by the driver as it likes: 3 + 2|x| units of the last place, 2.5 units.
    const DRIVERS: f32 = 4e-6;
    let row = |name, keeps_y, f, bwd, bound| Function { name, keeps_y, f, bwd, bound };
    vec![
        row("relu", Y, relu, relu_bwd_x, 0.0),
        row("leaky_relu", Y, |x| leaky_relu(x, 0.1), |y, dy| leaky_relu_bwd_x(y, dy, 0.1), 0.0),
        row("leaky_relu, slope -0.5", X, |x| leaky_relu(x, -0.5), |x, dy| leaky_relu_bwd_x(x, dy, -0.5), 0.0),
        row("relu6", Y, relu6, relu6_bwd_x, 0.0),
        row("elu", Y, |x| elu(x, 1.0), |y, dy| elu_bwd_x(y, dy, 1.0), DRIVERS),
        row("elu, alpha 1.5", Y, |x| elu(x, 1.5), |y, dy| elu_bwd_x(y, dy, 1.5), DRIVERS),
        row("selu", Y, selu, selu_bwd_x, DRIVERS),
        row("hardsigmoid", Y, hardsigmoid, hardsigmoid_bwd_x, DRIVERS),
        row("hardswish", X, hardswish, hardswish_bwd_x, DRIVERS),
        row("sigmoid", Y, sigmoid, sigmoid_bwd_x, DRIVERS),
        row("tanh", Y, tanh, tanh_bwd_x, DRIVERS),
        row("softplus", X, |x| softplus(x, 1.0, 20.0), |x, dy| softplus_bwd_x(x, dy, 1.0, 20.0), DRIVERS),
        row("softplus, beta 2, threshold 5", X, |x| softplus(x, 2.0, 5.0), |x, dy| softplus_bwd_x(x, dy, 2.0, 5.0), DRIVERS),
        row("silu", X, silu, silu_bwd_x, DRIVERS),
        row("gelu", X, gelu, gelu_bwd_x, DRIVERS),
        row("gelu_tanh", X, gelu_tanh, gelu_tanh_bwd_x, DRIVERS),
        row("mish", X, mish, mish_bwd_x, DRIVERS),
    ]
}

/// Values in [-8, 8): every branch of every function.
fn spread(device: &Device, len: usize) -> Tensor {
    let values: Vec<f32> = check::input_values(device, len, 1).iter().map(|v| 8.0 * v).collect();
    Tensor::from_slice(device, [len], &values)
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for function in functions() {
        let name = function.name.split(',').next().expect("a name");
        let bound = if function.bound == 0.0 { Bound::Exact } else { Bound::Relative(function.bound) };
        for len in [1, 3, 1031] {
            cases.push(Case::new(name, format!("{}: {len} elements", function.name), bound, move |device| {
                let x = spread(device, len);
                vec![(function.f)(&x), function.gradient(&x, &check::tensor(device, [len], 2))]
            }));
        }
    }
    cases
}

pub(super) fn benches() -> Vec<Bench> {
    const SHAPE: [usize; 4] = [128, 64, 32, 32];
    let both = |function: Function| {
        let Function { name, f, bwd, .. } = function;
        let forward = Bench::new(name, "128x64x32x32", 0, move |device: &Device| {
            let x = check::tensor(device, SHAPE, 1);
            move || vec![f(&x)]
        });
        let backward = Bench::new(name, "128x64x32x32, gradient", 0, move |device: &Device| {
            let (kept, dy) = (check::tensor(device, SHAPE, 1), check::tensor(device, SHAPE, 2));
            move || vec![bwd(&kept, &dy)]
        });
        [forward, backward]
    };
    functions().into_iter().filter(|function| !function.name.contains(',')).flat_map(both).collect()
}

#[cfg(test)]
pub(super) use tests::misuses;
