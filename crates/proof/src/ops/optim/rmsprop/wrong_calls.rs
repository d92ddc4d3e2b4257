//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::Tensor;
use gpu_core::ops::rmsprop_step;

pub fn wrong_calls() -> Vec<Misuse> {
    vec![misuse!("rmsprop_step", ["grad_avg differs in length", "params [4], grad_avg [3]"], |device| rmsprop_step(
        &Tensor::zeros(device, [4]),
        &Tensor::zeros(device, [4]),
        &Tensor::zeros(device, [4]),
        None,
        Some(&Tensor::zeros(device, [3])),
        &Tensor::zeros(device, [8])
    ))]
}
