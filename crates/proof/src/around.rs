//! Inputs that do not lie around zero.

use crate::tensor_of;
use gpu_core::{Device, Shape, Tensor};

/// Values around `mean` with standard deviation 1.
pub(crate) fn around(device: &Device, shape: impl Into<Shape>, mean: f32, seed: u64) -> Tensor {
    tensor_of(device, shape, seed, |v| mean + v * 3f32.sqrt())
}
