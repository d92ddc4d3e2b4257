//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::Tensor;
use gpu_core::ops::sgd_step;

pub fn wrong_calls() -> Vec<Misuse> {
    vec![
        misuse!("sgd_step", ["grads differs in length", "params [4], grads [3]"], |device| sgd_step(
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [3]),
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [8])
        )),
        misuse!("sgd_step", ["hyper must be [8]", "hyper [7]"], |device| sgd_step(
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [7])
        )),
    ]
}
