//! ResNet-20: He et al., "Deep residual learning for image recognition", 2015, section 4.2.

use super::{bn, conv, conv_bn_relu, head, relu};
use crate::spec::Layer;
use crate::spec::types::Residual;

pub(super) fn layers(classes: usize) -> Vec<Layer> {
    let mut layers = conv_bn_relu(16, 3, 1, 1).to_vec();
    let mut before = 16;
    for channels in [16, 32, 64] {
        for _ in 0..3 {
            let stride = if channels == before { 1 } else { 2 };
            layers.extend(block(channels, stride));
            before = channels;
        }
    }
    layers.extend(head(classes));
    layers
}

/// Two convolutions beside the identity, or beside a projection where the shape changes; then ReLU.
fn block(channels: usize, stride: usize) -> [Layer; 2] {
    let mut body = conv_bn_relu(channels, 3, stride, 1).to_vec();
    body.extend([conv(channels, 3, 1, 1), bn()]);
    let shortcut = if stride == 1 { Vec::new() } else { vec![conv(channels, 1, stride, 1), bn()] };
    [Residual { body, shortcut }.into(), relu()]
}
