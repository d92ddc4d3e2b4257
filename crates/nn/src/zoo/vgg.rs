//! VGG: Simonyan and Zisserman, "Very deep convolutional networks", 2015, with batch normalisation.

use super::Task;
use super::parts::{bn, flatten, linear, max_pool, relu};
use crate::spec::types::{Conv2d, Dropout};
use crate::spec::{Layer, SpecError};

/// Channels of the convolutions between one pooling and the next: the paper's configuration A.
const A: &[&[usize]] = &[&[64], &[128], &[256, 256], &[512, 512], &[512, 512]];

/// With the paper's three linear layers, or with one where five halvings leave next to nothing of an image.
pub(super) fn vgg11_bn(task: &Task) -> Result<Vec<Layer>, SpecError> {
    let hidden: &[usize] = if task.is_small() { &[] } else { &[4096, 4096] };
    Ok(layers(A, hidden, task.classes))
}

/// What torchvision calls the layers that have weights, with the paper's head.
pub(super) fn vgg11_bn_names() -> Vec<String> {
    names(A)
}

pub(super) fn layers(stages: &[&[usize]], hidden: &[usize], classes: usize) -> Vec<Layer> {
    let mut layers = Vec::new();
    for stage in stages {
        for &channels in *stage {
            // torchvision keeps the biases that the normalisation takes out again.
            layers.extend([Conv2d { padding: 1.into(), ..Conv2d::new(channels, 3) }.into(), bn(), relu()]);
        }
        layers.push(max_pool(2));
    }
    layers.push(flatten());
    for &features in hidden {
        layers.extend([linear(features), relu(), Dropout { p: 0.5 }.into()]);
    }
    layers.push(linear(classes));
    layers
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
