//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::Tensor;
use gpu_core::ops::accumulate;

pub fn wrong_calls() -> Vec<Misuse> {
    vec![misuse!("accumulate", ["lengths differ", "x [2], y [3]"], |device| accumulate(
        &Tensor::zeros(device, [2]),
        &Tensor::zeros(device, [3]),
        1.0,
        1.0
    ))]
}
