//! Four convolutions and a linear layer: the smallest that learns CIFAR-10 well.

use super::{conv_bn_relu, flatten, linear, max_pool};
use crate::spec::Layer;
use crate::spec::types::Dropout;

pub(super) fn layers(classes: usize) -> Vec<Layer> {
    let mut layers = Vec::new();
    for channels in [32, 64] {
        layers.extend([conv_bn_relu(channels, 3, 1, 1), conv_bn_relu(channels, 3, 1, 1)].concat());
        layers.push(max_pool(2));
    }
    layers.extend([Dropout { p: 0.3 }.into(), flatten(), linear(classes)]);
    layers
}
