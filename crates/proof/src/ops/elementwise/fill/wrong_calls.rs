//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::{DType, Tensor};

pub fn wrong_calls() -> Vec<Misuse> {
    vec![misuse!("fill", ["x holds u8, not f32", "x [2]"], |d| Tensor::zeros_of(d, [2], DType::U8).fill(1.0))]
}
