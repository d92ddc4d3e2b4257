//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::Tensor;
use gpu_core::ops::join;

pub fn wrong_calls() -> Vec<Misuse> {
    vec![misuse!("join", ["lengths differ", "x [2], y [3]"], |device| join(
        &Tensor::zeros(device, [2]),
        &Tensor::zeros(device, [3])
    ))]
}
