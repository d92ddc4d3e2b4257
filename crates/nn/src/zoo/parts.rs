//! What models are put together from.

use crate::layers::{BatchNorm2d, Conv2d, Flatten, GlobalAvgPool, Linear, Relu, Sequential};
use crate::seq;

/// A convolution without a bias that pads to keep the size at stride 1.
pub fn conv(out: usize, kernel: usize) -> Conv2d {
    Conv2d::new(out, kernel).padding(kernel / 2).no_bias()
}

/// A convolution with its batch normalisation and ReLU.
pub fn conv_bn_relu(conv: Conv2d) -> Sequential {
    seq![conv, BatchNorm2d::new(), Relu]
}

/// The mean of each channel, then a linear layer.
pub fn head(classes: usize) -> Sequential {
    seq![GlobalAvgPool, Flatten, Linear::new(classes)]
}
