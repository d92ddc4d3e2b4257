//! Depthwise separable convolutions: Howard et al., "MobileNets", 2017.

use super::Task;
use super::parts::{conv, conv_bn_relu, head};
use crate::layers::Sequential;
use crate::spec::SpecError;

/// Output channels and stride of each pair of a depthwise and a 1x1 convolution.
const SMALL: &[(usize, usize)] = &[(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)];
/// The paper's table 1.
const PAPER: &[(usize, usize)] = &[
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (1024, 2),
    (1024, 1),
];

/// The first seven pairs, with three halvings instead of five.
pub(super) fn small(task: &Task) -> Result<Sequential, SpecError> {
    Ok(layers(1, SMALL.iter().copied(), task.classes))
}

/// The whole of it; small images keep their size in the first convolution and the first strided pair.
pub(super) fn v1(task: &Task) -> Result<Sequential, SpecError> {
    let small = task.is_small();
    let pairs = PAPER.iter().enumerate().map(|(i, &(out, stride))| (out, if small && i == 1 { 1 } else { stride }));
    Ok(layers(if small { 1 } else { 2 }, pairs, task.classes))
}

fn layers(stride: usize, pairs: impl Iterator<Item = (usize, usize)>, classes: usize) -> Sequential {
    let mut net = conv_bn_relu(conv(32, 3).stride(stride));
    let mut before = 32;
    for (channels, stride) in pairs {
        let depthwise = conv(before, 3).stride(stride).groups(before);
        net = net.push(..conv_bn_relu(depthwise)).push(..conv_bn_relu(conv(channels, 1)));
        before = channels;
    }
    net.push(..head(classes))
}
