//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::ops::{
    elu, elu_bwd_x, gelu, gelu_bwd_x, gelu_tanh, gelu_tanh_bwd_x, hardsigmoid, hardsigmoid_bwd_x, hardswish, hardswish_bwd_x,
    leaky_relu, leaky_relu_bwd_x, mish, mish_bwd_x, relu, relu_bwd_x, relu6, relu6_bwd_x, selu, selu_bwd_x, sigmoid, sigmoid_bwd_x,
    silu, silu_bwd_x, softplus, softplus_bwd_x, tanh, tanh_bwd_x,
};
use gpu_core::{Device, Tensor};

pub fn wrong_calls() -> Vec<Misuse> {
    fn integers(device: &Device) -> Tensor {
        Tensor::from_slice(device, [2], &[1u32, 2])
    }
    fn zeros(device: &Device, len: usize) -> Tensor {
        Tensor::zeros(device, [len])
    }
    vec![
        misuse!("elu", ["alpha -1 is negative", "x [2]"], |device| elu(&zeros(device, 2), -1.0)),
        misuse!("elu_bwd_x", ["alpha -1 is negative", "x [2]"], |device| elu_bwd_x(&zeros(device, 2), &zeros(device, 2), -1.0)),
        misuse!("softplus", ["beta 0 is not positive", "x [2]"], |device| softplus(&zeros(device, 2), 0.0, 20.0)),
        misuse!("softplus_bwd_x", ["beta 0 is not positive"], |device| softplus_bwd_x(
            &zeros(device, 2),
            &zeros(device, 2),
            0.0,
            20.0
        )),
        misuse!("relu_bwd_x", ["dy on CPU", "y [2], dy [2]"], |device| relu_bwd_x(&zeros(device, 2), &zeros(&Device::Cpu, 2))),
        misuse!("relu", ["x holds u32, not f32", "x [2]"], |device| relu(&integers(device))),
        misuse!("relu_bwd_x", ["y [2]", "dy [3]"], |device| relu_bwd_x(&zeros(device, 2), &zeros(device, 3))),
        misuse!("leaky_relu", ["x holds u32, not f32", "x [2]"], |device| leaky_relu(&integers(device), 0.1)),
        misuse!("leaky_relu_bwd_x", ["y [2]", "dy [3]"], |device| leaky_relu_bwd_x(&zeros(device, 2), &zeros(device, 3), 0.1)),
        misuse!("relu6", ["x holds u32, not f32", "x [2]"], |device| relu6(&integers(device))),
        misuse!("relu6_bwd_x", ["y [2]", "dy [3]"], |device| relu6_bwd_x(&zeros(device, 2), &zeros(device, 3))),
        misuse!("elu", ["x holds u32, not f32", "x [2]"], |device| elu(&integers(device), 1.0)),
        misuse!("elu_bwd_x", ["y [2]", "dy [3]"], |device| elu_bwd_x(&zeros(device, 2), &zeros(device, 3), 1.0)),
        misuse!("selu", ["x holds u32, not f32", "x [2]"], |device| selu(&integers(device))),
        misuse!("selu_bwd_x", ["y [2]", "dy [3]"], |device| selu_bwd_x(&zeros(device, 2), &zeros(device, 3))),
        misuse!("hardsigmoid", ["x holds u32, not f32", "x [2]"], |device| hardsigmoid(&integers(device))),
        misuse!("hardsigmoid_bwd_x", ["y [2]", "dy [3]"], |device| hardsigmoid_bwd_x(&zeros(device, 2), &zeros(device, 3))),
        misuse!("hardswish", ["x holds u32, not f32", "x [2]"], |device| hardswish(&integers(device))),
        misuse!("hardswish_bwd_x", ["x [2]", "dy [3]"], |device| hardswish_bwd_x(&zeros(device, 2), &zeros(device, 3))),
        misuse!("sigmoid", ["x holds u32, not f32", "x [2]"], |device| sigmoid(&integers(device))),
        misuse!("sigmoid_bwd_x", ["y [2]", "dy [3]"], |device| sigmoid_bwd_x(&zeros(device, 2), &zeros(device, 3))),
        misuse!("tanh", ["x holds u32, not f32", "x [2]"], |device| tanh(&integers(device))),
        misuse!("tanh_bwd_x", ["y [2]", "dy [3]"], |device| tanh_bwd_x(&zeros(device, 2), &zeros(device, 3))),
        misuse!("softplus", ["x holds u32, not f32", "x [2]"], |device| softplus(&integers(device), 1.0, 20.0)),
        misuse!("softplus_bwd_x", ["x [2]", "dy [3]"], |device| softplus_bwd_x(&zeros(device, 2), &zeros(device, 3), 1.0, 20.0)),
        misuse!("silu", ["x holds u32, not f32", "x [2]"], |device| silu(&integers(device))),
        misuse!("silu_bwd_x", ["x [2]", "dy [3]"], |device| silu_bwd_x(&zeros(device, 2), &zeros(device, 3))),
        misuse!("gelu", ["x holds u32, not f32", "x [2]"], |device| gelu(&integers(device))),
        misuse!("gelu_bwd_x", ["x [2]", "dy [3]"], |device| gelu_bwd_x(&zeros(device, 2), &zeros(device, 3))),
        misuse!("gelu_tanh", ["x holds u32, not f32", "x [2]"], |device| gelu_tanh(&integers(device))),
        misuse!("gelu_tanh_bwd_x", ["x [2]", "dy [3]"], |device| gelu_tanh_bwd_x(&zeros(device, 2), &zeros(device, 3))),
        misuse!("mish", ["x holds u32, not f32", "x [2]"], |device| mish(&integers(device))),
        misuse!("mish_bwd_x", ["x [2]", "dy [3]"], |device| mish_bwd_x(&zeros(device, 2), &zeros(device, 3))),
    ]
}
