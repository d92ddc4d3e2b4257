//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::Tensor;
use gpu_core::ops::adadelta_step;

pub fn wrong_calls() -> Vec<Misuse> {
    vec![misuse!("adadelta_step", ["acc_delta differs in length", "params [4], acc_delta [3]"], |device| adadelta_step(
        &Tensor::zeros(device, [4]),
        &Tensor::zeros(device, [4]),
        &Tensor::zeros(device, [4]),
        &Tensor::zeros(device, [3]),
        &Tensor::zeros(device, [8])
    ))]
}
