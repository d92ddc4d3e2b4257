//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::ops::{clip_grad_norm, clip_grad_value, clip_with_norm, total_norm};
use gpu_core::{Device, Tensor};

pub fn wrong_calls() -> Vec<Misuse> {
    fn words(device: &Device) -> Tensor {
        Tensor::from_slice(device, [2], &[1u32, 2])
    }
    vec![
        misuse!("total_norm", ["holds u32, not f32", "[2]"], |device| total_norm(&[&words(device)])),
        misuse!("clip_with_norm", ["the norm is one element", "norm [2]"], |device| clip_with_norm(
            &[&Tensor::zeros(device, [3])],
            &Tensor::zeros(device, [2]),
            1.0
        )),
        misuse!("clip_grad_norm", ["max_norm -1 is not a number of 0 or more"], |device| clip_grad_norm(
            &[&Tensor::zeros(device, [3])],
            -1.0
        )),
        misuse!("clip_grad_value", ["holds u32, not f32", "[2]"], |device| clip_grad_value(&[&words(device)], 1.0)),
    ]
}
