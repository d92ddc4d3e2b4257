//! Four convolutions and a linear layer: the smallest that learns CIFAR-10 well.

use super::Task;
use super::parts::{conv_bn_relu, flatten, linear, max_pool};
use crate::spec::types::Dropout;
use crate::spec::{Layer, SpecError};

pub(super) fn layers(task: &Task) -> Result<Vec<Layer>, SpecError> {
    let mut layers = Vec::new();
    for channels in [32, 64] {
        layers.extend([conv_bn_relu(channels, 3, 1, 1), conv_bn_relu(channels, 3, 1, 1)].concat());
        layers.push(max_pool(2));
    }
    layers.extend([Dropout { p: 0.3 }.into(), flatten(), linear(task.classes)]);
    Ok(layers)
}
