//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::Tensor;
use gpu_core::ops::adagrad_step;

pub fn wrong_calls() -> Vec<Misuse> {
    vec![misuse!("adagrad_step", ["square_sum differs in length", "params [4], square_sum [3]"], |device| adagrad_step(
        &Tensor::zeros(device, [4]),
        &Tensor::zeros(device, [4]),
        &Tensor::zeros(device, [3]),
        &Tensor::zeros(device, [8])
    ))]
}
