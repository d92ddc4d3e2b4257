//! SqueezeNet 1.1: Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters", 2016.

use super::Task;
use crate::layers::{Concat, Conv2d, Dropout, Flatten, GlobalAvgPool, MaxPool2d, Relu, Sequential};
use crate::seq;
use crate::spec::SpecError;

/// What the fires between one pooling and the next squeeze to, and expand to twice.
const STAGES: [&[[usize; 2]]; 3] = [&[[16, 64], [16, 64]], &[[32, 128], [32, 128]], &[[48, 192], [48, 192], [64, 256], [64, 256]]];

/// Small images are not halved by the first convolution.
pub(super) fn v1_1(task: &Task) -> Result<Sequential, SpecError> {
    let first = if task.is_small() { Conv2d::new(64, 3).padding(1) } else { Conv2d::new(64, 3).stride(2) };
    let mut net = seq![first, Relu];
    for stage in STAGES {
        net = net.push(MaxPool2d::new(3).stride(2).ceil_mode(true));
        net = stage.iter().fold(net, |net, &[squeeze, expand]| net.push(..fire(squeeze, expand)));
    }
    Ok(net.push(..seq![Dropout::new(0.5), Conv2d::new(task.classes, 1), Relu, GlobalAvgPool, Flatten]))
}

/// Few channels, from which others are made in two ways.
fn fire(squeeze: usize, expand: usize) -> Sequential {
    let near = seq![Conv2d::new(expand, 1), Relu];
    let wide = seq![Conv2d::new(expand, 3).padding(1), Relu];
    seq![Conv2d::new(squeeze, 1), Relu, Concat::new([near, wide])]
}

/// What torchvision calls the layers that have weights.
pub(super) fn v1_1_names() -> Vec<String> {
    let mut names = vec!["features.0".to_owned()];
    let mut at = 2;
    for stage in STAGES {
        for _ in stage {
            at += 1;
            names.extend(["squeeze", "expand1x1", "expand3x3"].map(|part| format!("features.{at}.{part}")));
        }
        at += 1;
    }
    names.push("classifier.1".to_owned());
    names
}
