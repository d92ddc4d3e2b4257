//! Residual networks: He et al., "Deep residual learning for image recognition", 2015.
//!
//! A stage doubles the channels and halves the image; a block is two or three convolutions beside the identity, or beside a projection
//! where the shape changes. The three convolutions of a bottleneck have the stride in the middle, as torchvision has it.

use super::parts::{conv, conv_bn_relu, head};
use crate::layers::{BatchNorm2d, MaxPool2d, Relu, Residual, Sequential};
use crate::seq;

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Block {
    /// Two 3x3 convolutions.
    Basic,
    /// 1x1, 3x3, and 1x1 to four times the channels.
    Bottleneck,
}

pub(super) struct ResNet {
    pub block: Block,
    /// Blocks of each stage.
    pub blocks: &'static [usize],
    /// Channels of the first stage.
    pub width: usize,
}

pub(super) const RESNET20: ResNet = ResNet { block: Block::Basic, blocks: &[3, 3, 3], width: 16 };
pub(super) const RESNET32: ResNet = ResNet { block: Block::Basic, blocks: &[5, 5, 5], width: 16 };
pub(super) const RESNET18: ResNet = ResNet { block: Block::Basic, blocks: &[2, 2, 2, 2], width: 64 };
pub(super) const RESNET50: ResNet = ResNet { block: Block::Bottleneck, blocks: &[3, 4, 6, 3], width: 64 };

/// One block: its inner channels, its stride, and whether it needs a projection.
struct Place {
    stage: usize,
    position: usize,
    channels: usize,
    stride: usize,
    projects: bool,
}

impl ResNet {
    /// With a 3x3 stem for small images, or with 7x7 and a pooling, which quarter the image.
    pub fn layers(&self, classes: usize, small: bool) -> Sequential {
        let stem = match small {
            true => conv_bn_relu(conv(self.width, 3)),
            false => seq![..conv_bn_relu(conv(self.width, 7).stride(2)), MaxPool2d::new(3).stride(2).padding(1)],
        };
        let body = self.places().iter().fold(stem, |net, place| net.push(self.block(place)).push(Relu));
        body.push(..head(classes))
    }

    fn expansion(&self) -> usize {
        if self.block == Block::Basic { 1 } else { 4 }
    }

    fn places(&self) -> Vec<Place> {
        let mut before = self.width;
        let mut places = Vec::new();
        for (stage, &blocks) in self.blocks.iter().enumerate() {
            let channels = self.width << stage;
            for position in 0..blocks {
                let stride = if stage > 0 && position == 0 { 2 } else { 1 };
                let projects = stride > 1 || before != channels * self.expansion();
                places.push(Place { stage, position, channels, stride, projects });
                before = channels * self.expansion();
            }
        }
        places
    }

    fn block(&self, &Place { channels, stride, projects, .. }: &Place) -> Residual {
        let out = channels * self.expansion();
        let body = match self.block {
            Block::Basic => seq![..conv_bn_relu(conv(channels, 3).stride(stride)), conv(out, 3)],
            Block::Bottleneck => {
                let [narrow, inner] = [conv(channels, 1), conv(channels, 3).stride(stride)].map(conv_bn_relu);
                seq![..narrow, ..inner, conv(out, 1)]
            }
        };
        let block = Residual::new(body.push(BatchNorm2d::new()));
        if projects { block.shortcut(seq![conv(out, 1).stride(stride), BatchNorm2d::new()]) } else { block }
    }

    /// What torchvision calls the layers that have weights.
    pub fn names(&self) -> Vec<String> {
        let convolutions = if self.block == Block::Basic { 2 } else { 3 };
        let blocks = self.places().into_iter().flat_map(|place| {
            let block = format!("layer{}.{}", place.stage + 1, place.position);
            let body = (1..=convolutions).flat_map(|i| [format!("conv{i}"), format!("bn{i}")]);
            let shortcut = [0, 1].map(|i| format!("downsample.{i}"));
            body.chain(shortcut.into_iter().filter(move |_| place.projects)).map(move |name| format!("{block}.{name}"))
        });
        let (first, last) = (["conv1", "bn1"].map(str::to_owned), ["fc".to_owned()]);
        first.into_iter().chain(blocks).chain(last).collect()
    }
}
