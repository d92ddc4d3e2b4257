//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::ops::cast;
use gpu_core::{DType, Tensor};

pub fn wrong_calls() -> Vec<Misuse> {
    vec![misuse!("cast", ["f64 is for the CPU device only", "x [2]"], |d| cast(&Tensor::zeros(d, [2]), DType::F64))]
}
