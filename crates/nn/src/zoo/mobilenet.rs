//! Depthwise separable convolutions: Howard et al., "MobileNets", 2017, with three halvings instead of five.

use super::{conv_bn_relu, head};
use crate::spec::Layer;

/// Output channels and stride of each pair of a depthwise and a 1x1 convolution.
const BLOCKS: [(usize, usize); 7] = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)];

pub(super) fn layers(classes: usize) -> Vec<Layer> {
    let mut layers = conv_bn_relu(32, 3, 1, 1).to_vec();
    let mut before = 32;
    for (channels, stride) in BLOCKS {
        layers.extend([conv_bn_relu(before, 3, stride, before), conv_bn_relu(channels, 1, 1, 1)].concat());
        before = channels;
    }
    layers.extend(head(classes));
    layers
}
