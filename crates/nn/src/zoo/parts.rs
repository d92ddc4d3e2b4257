//! What models are put together from.

use crate::spec::Layer;
use crate::spec::types::{BatchNorm2d, Conv2d, Flatten, GlobalAvgPool, Linear, MaxPool2d, Relu};

/// A convolution without a bias, its batch normalisation, and ReLU.
pub fn conv_bn_relu(out: usize, kernel: usize, stride: usize, groups: usize) -> [Layer; 3] {
    [conv(out, kernel, stride, groups), bn(), relu()]
}

/// A convolution without a bias that pads to keep the size at stride 1.
pub fn conv(out: usize, kernel: usize, stride: usize, groups: usize) -> Layer {
    let (stride, padding) = (stride.into(), (kernel / 2).into());
    Conv2d { stride, padding, groups, bias: false, ..Conv2d::new(out, kernel) }.into()
}

/// The mean of each channel, then a linear layer.
pub fn head(classes: usize) -> [Layer; 3] {
    [GlobalAvgPool {}.into(), flatten(), linear(classes)]
}

pub fn bn() -> Layer {
    BatchNorm2d::default().into()
}
pub fn relu() -> Layer {
    Relu {}.into()
}
pub fn flatten() -> Layer {
    Flatten {}.into()
}
pub fn linear(out: usize) -> Layer {
    Linear::new(out).into()
}
/// Windows side by side.
pub fn max_pool(kernel: usize) -> Layer {
    MaxPool2d::new(kernel).into()
}
