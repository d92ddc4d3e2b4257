//! Densely connected networks: Huang et al., "Densely connected convolutional networks", 2017, with bottlenecks and compression (BC).

use super::parts::{conv, conv_bn_relu, head};
use crate::layers::{AvgPool2d, BatchNorm2d, Concat, MaxPool2d, Relu, Sequential};
use crate::seq;

/// Channels of a 1x1 convolution, in growths.
const BOTTLENECK: usize = 4;

pub(super) struct DenseNet {
    /// Channels that each layer adds.
    pub growth: usize,
    /// Layers of each block.
    pub blocks: &'static [usize],
    /// Channels of the first convolution.
    pub first: usize,
}

/// 100 layers: three blocks of 16 pairs, two transitions, the first convolution and the last layer.
pub(super) const BC_100_12: DenseNet = DenseNet { growth: 12, blocks: &[16, 16, 16], first: 24 };
pub(super) const DENSENET121: DenseNet = DenseNet { growth: 32, blocks: &[6, 12, 24, 16], first: 64 };

impl DenseNet {
    /// With a 3x3 stem for small images, or with 7x7 and a pooling, which quarter the image.
    pub fn layers(&self, classes: usize, small: bool) -> Sequential {
        let mut net = match small {
            true => seq![conv(self.first, 3)],
            false => seq![..conv_bn_relu(conv(self.first, 7).stride(2)), MaxPool2d::new(3).stride(2).padding(1)],
        };
        let mut channels = self.first;
        for (i, &block) in self.blocks.iter().enumerate() {
            if i > 0 {
                channels /= 2;
                net = net.push(..seq![BatchNorm2d::new(), Relu, conv(channels, 1), AvgPool2d::new(2)]);
            }
            net = (0..block).fold(net, |net, _| net.push(self.dense()));
            channels += block * self.growth;
        }
        net.push(..seq![BatchNorm2d::new(), Relu, ..head(classes)])
    }

    /// What comes in, and beside it `growth` channels made of all of it.
    fn dense(&self) -> Concat {
        let narrow = conv_bn_relu(conv(BOTTLENECK * self.growth, 1));
        Concat::new([seq![], seq![BatchNorm2d::new(), Relu, ..narrow, conv(self.growth, 3)]])
    }

    /// What torchvision calls the layers that have weights, with the stem for large images.
    pub fn names(&self) -> Vec<String> {
        let mut names = vec!["conv0".to_owned(), "norm0".to_owned()];
        for (i, &block) in self.blocks.iter().enumerate() {
            if i > 0 {
                names.extend(["norm", "conv"].map(|part| format!("transition{i}.{part}")));
            }
            for layer in 1..=block {
                let parts = ["norm1", "conv1", "norm2", "conv2"];
                names.extend(parts.map(|part| format!("denseblock{}.denselayer{layer}.{part}", i + 1)));
            }
        }
        names.push("norm5".to_owned());
        let features = names.into_iter().map(|name| format!("features.{name}"));
        features.chain(["classifier".to_owned()]).collect()
    }
}
