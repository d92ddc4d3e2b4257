//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::Tensor;
use gpu_core::ops::{cumsum, cumsum_bwd_x};

pub fn wrong_calls() -> Vec<Misuse> {
    vec![
        misuse!("cumsum", ["no axis 1", "x [2]"], |device| cumsum(&Tensor::zeros(device, [2]), 1)),
        misuse!("cumsum", ["x holds u32, not f32", "x [1]"], |device| cumsum(&Tensor::from_slice(device, [1], &[1u32]), 0)),
        misuse!("cumsum_bwd_x", ["no axis 0", "dy []"], |device| cumsum_bwd_x(&Tensor::scalar(device, 1.0), 0)),
    ]
}
