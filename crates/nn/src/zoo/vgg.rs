//! VGG: Simonyan and Zisserman, "Very deep convolutional networks", 2015, with batch normalisation.

use super::Task;
use crate::layers::{AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, Relu, Sequential};
use crate::seq;
use crate::spec::SpecError;

/// Channels of the convolutions between one pooling and the next: the paper's configuration A.
const A: &[&[usize]] = &[&[64], &[128], &[256, 256], &[512, 512], &[512, 512]];

/// With the paper's three linear layers, or with one where five halvings leave next to nothing of an image.
pub(super) fn vgg11_bn(task: &Task) -> Result<Sequential, SpecError> {
    let hidden: &[usize] = if task.is_small() { &[] } else { &[4096, 4096] };
    Ok(layers(A, 7, hidden, task.classes))
}

/// What torchvision calls the layers that have weights, with the paper's head.
pub(super) fn vgg11_bn_names() -> Vec<String> {
    names(A)
}

/// The linear layers, if any are hidden, see images of `size`.
pub(super) fn layers(stages: &[&[usize]], size: usize, hidden: &[usize], classes: usize) -> Sequential {
    let mut net = seq![];
    for stage in stages {
        for &channels in *stage {
            // torchvision keeps the biases that the normalisation takes out again.
            net = net.push(..seq![Conv2d::new(channels, 3).padding(1), BatchNorm2d::new(), Relu]);
        }
        net = net.push(MaxPool2d::new(2));
    }
    if !hidden.is_empty() {
        // As in torchvision: the linear layers want 7x7, whatever comes in; 224x224 gives it.
        net = net.push(AdaptiveAvgPool2d::new(size));
    }
    net = net.push(Flatten);
    for &features in hidden {
        net = net.push(..seq![Linear::new(features), Relu, Dropout::new(0.5)]);
    }
    net.push(Linear::new(classes))
}

pub(super) fn names(stages: &[&[usize]]) -> Vec<String> {
    let mut names = Vec::new();
    let mut at = 0;
    for stage in stages {
        for _ in *stage {
            names.extend([at, at + 1].map(|i| format!("features.{i}")));
            at += 3;
        }
        at += 1;
    }
    names.extend([0, 3, 6].map(|i| format!("classifier.{i}")));
    names
}
