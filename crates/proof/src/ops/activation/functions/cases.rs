//! What is held against the mirror.

use crate::{Bound, Case, input_values, tensor};
use gpu_core::ops::{
    elu, elu_bwd_x, gelu, gelu_bwd_x, gelu_tanh, gelu_tanh_bwd_x, hardsigmoid, hardsigmoid_bwd_x, hardswish, hardswish_bwd_x,
    leaky_relu, leaky_relu_bwd_x, mish, mish_bwd_x, relu, relu_bwd_x, relu6, relu6_bwd_x, selu, selu_bwd_x, sigmoid, sigmoid_bwd_x,
    silu, silu_bwd_x, softplus, softplus_bwd_x, tanh, tanh_bwd_x,
};
use gpu_core::{Device, Tensor};

/// A function with options, and its gradient from what it keeps.
#[derive(Clone, Copy)]
pub(super) struct Function {
    pub(super) name: &'static str,
    keeps_y: bool,
    pub(super) f: fn(&Tensor) -> Tensor,
    pub(super) bwd: fn(&Tensor, &Tensor) -> Tensor,
    /// How far the kernel may be from the mirror, as a part of the largest element: 0 where both round the same.
    bound: f32,
}

impl Function {
    pub(super) fn gradient(&self, x: &Tensor, dy: &Tensor) -> Tensor {
        if self.keeps_y { (self.bwd)(&(self.f)(x), dy) } else { (self.bwd)(x, dy) }
    }
}

/// Every function, with every kind of option.
pub(super) fn functions() -> Vec<Function> {
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
    let values: Vec<f32> = input_values(device, len, 1).iter().map(|v| 8.0 * v).collect();
    Tensor::from_slice(device, [len], &values)
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for function in functions() {
        let name = function.name.split(',').next().expect("a name");
        let bound = if function.bound == 0.0 { Bound::Exact } else { Bound::Relative(function.bound) };
        for len in [1, 3, 1031] {
            cases.push(Case::new(name, format!("{}: {len} elements", function.name), bound, move |device| {
                let x = spread(device, len);
                vec![(function.f)(&x), function.gradient(&x, &tensor(device, [len], 2))]
            }));
        }
    }
    cases
}
