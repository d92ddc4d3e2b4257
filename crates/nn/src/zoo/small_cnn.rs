//! Four convolutions and a linear layer: the smallest that learns CIFAR-10 well.

use super::{conv_bn_relu, linear};
use crate::spec::Layer;

pub(super) fn layers(classes: usize) -> Vec<Layer> {
    let pool = || Layer::MaxPool2d { kernel: 2.into(), stride: None, padding: 0.into() };
    let mut layers = Vec::new();
    for channels in [32, 64] {
        layers.extend([conv_bn_relu(channels, 3, 1, 1), conv_bn_relu(channels, 3, 1, 1)].concat());
        layers.push(pool());
    }
    layers.extend([Layer::Dropout { p: 0.3 }, Layer::Flatten, linear(classes)]);
    layers
}
