//! Inputs that do not lie around zero.

use crate::input_values;
use gpu_core::{Device, Shape, Tensor};

/// Values around `mean` with standard deviation 1.
pub(crate) fn around(device: &Device, shape: impl Into<Shape>, mean: f32, seed: u64) -> Tensor {
    let shape = shape.into();
    let values: Vec<f32> = input_values(device, shape.len(), seed).iter().map(|v| mean + v * 3f32.sqrt()).collect();
    Tensor::from_slice(device, shape, &values)
}
