//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::Tensor;
use gpu_core::ops::{take_back, unscale};

pub fn wrong_calls() -> Vec<Misuse> {
    vec![
        misuse!("unscale", ["state must be [3]", "state [2]"], |device| unscale(
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [2]),
            1
        )),
        misuse!("unscale", ["cannot be doubled after 0 steps"], |device| unscale(
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [3]),
            0
        )),
        misuse!("take_back", ["before differs in length from params", "params [4]", "before [3]"], |device| take_back(
            &Tensor::zeros(device, [2]),
            &Tensor::zeros(device, [3]),
            &Tensor::zeros(device, [4])
        )),
        misuse!("take_back", ["verdict must be [2]", "verdict [1]"], |device| take_back(
            &Tensor::zeros(device, [1]),
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [4])
        )),
    ]
}
