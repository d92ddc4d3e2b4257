//! Densely connected networks: Huang et al., "Densely connected convolutional networks", 2017, with bottlenecks and compression (BC).

use super::parts::{bn, conv, head, relu};
use crate::spec::Layer;
use crate::spec::types::{AvgPool2d, Concat, MaxPool2d};

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
    pub fn layers(&self, classes: usize, small: bool) -> Vec<Layer> {
        let mut layers = vec![conv(self.first, if small { 3 } else { 7 }, if small { 1 } else { 2 }, 1)];
        if !small {
            layers.extend([bn(), relu(), MaxPool2d { stride: Some(2.into()), padding: 1.into(), ..MaxPool2d::new(3) }.into()]);
        }
        let mut channels = self.first;
        for (i, &block) in self.blocks.iter().enumerate() {
            if i > 0 {
                channels /= 2;
                layers.extend([bn(), relu(), conv(channels, 1, 1, 1), AvgPool2d::new(2).into()]);
            }
            layers.extend((0..block).map(|_| self.dense()));
            channels += block * self.growth;
        }
        layers.extend([bn(), relu()]);
        layers.extend(head(classes));
        layers
    }

    /// What comes in, and beside it `growth` channels made of all of it.
    fn dense(&self) -> Layer {
        let wide = conv(BOTTLENECK * self.growth, 1, 1, 1);
        let body = vec![bn(), relu(), wide, bn(), relu(), conv(self.growth, 3, 1, 1)];
        Concat { branches: vec![Vec::new(), body] }.into()
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
