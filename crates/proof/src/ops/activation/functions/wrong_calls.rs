//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::ops::{elu, elu_bwd_x, relu_bwd_x, softplus, softplus_bwd_x};
use gpu_core::{Device, Tensor, ops};

fn integers(device: &Device) -> Tensor {
    Tensor::from_slice(device, [2], &[1u32, 2])
}

fn zeros(device: &Device, len: usize) -> Tensor {
    Tensor::zeros(device, [len])
}

/// Of each function: another type; of each gradient: another shape.
macro_rules! each {
    ($(
        $(#[$doc:meta])*
        $name:ident($($arg:ident = $usual:literal),*), $bwd:ident(from $kept:ident $(if $when:expr)?) $rest:tt
    )*) => {
        vec![$(
            misuse!(stringify!($name), ["x holds u32, not f32 or f16", "x [2]"], |device| ops::$name(&integers(device) $(, $usual)*)),
            misuse!(stringify!($bwd), [concat!(stringify!($kept), " [2]"), "dy [3]"], |device| {
                ops::$bwd(&zeros(device, 2), &zeros(device, 3) $(, $usual)*)
            }),
        )*]
    };
}

pub fn wrong_calls() -> Vec<Misuse> {
    let mut calls: Vec<Misuse> = gpu_core::activation_table!(each);
    calls.extend([
        misuse!("elu", ["alpha is not 0 or more", "-1", "x [2]"], |device| elu(&zeros(device, 2), -1.0)),
        misuse!("elu_bwd_x", ["alpha is not 0 or more", "y [2]"], |device| elu_bwd_x(&zeros(device, 2), &zeros(device, 2), -1.0)),
        misuse!("softplus", ["beta is not positive", "x [2]"], |device| softplus(&zeros(device, 2), 0.0, 20.0)),
        misuse!("softplus_bwd_x", ["beta is not positive"], |device| {
            softplus_bwd_x(&zeros(device, 2), &zeros(device, 2), 0.0, 20.0)
        }),
        misuse!("relu_bwd_x", ["dy on CPU", "y [2], dy [2]"], |device| relu_bwd_x(&zeros(device, 2), &zeros(&Device::Cpu, 2))),
    ]);
    calls
}
