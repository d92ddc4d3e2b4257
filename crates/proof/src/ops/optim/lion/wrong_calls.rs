//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::Tensor;
use gpu_core::ops::lion_step;

pub fn wrong_calls() -> Vec<Misuse> {
    vec![misuse!("lion_step", ["m differs in length", "params [4], m [3]"], |device| lion_step(
        &Tensor::zeros(device, [4]),
        &Tensor::zeros(device, [4]),
        &Tensor::zeros(device, [3]),
        &Tensor::zeros(device, [8])
    ))]
}
