//! A network for CIFAR-10 in seconds: Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU", 2024.
//!
//! The first convolution is not learned: it makes 2x2 patches of the training images uncorrelated. The logits begin small. As in
//! the paper, the running values of the normalisations follow the newest batches closely.

use super::Task;
use super::parts::{flatten, max_pool};
use crate::spec::types::{BatchNorm2d, Conv2d, Gelu, Linear, Scale, WhiteningConv2d};
use crate::spec::{Layer, SpecError};

/// Channels of the three blocks.
const WIDTHS: [usize; 3] = [64, 256, 256];

pub(super) fn layers(task: &Task) -> Result<Vec<Layer>, SpecError> {
    let mut layers: Vec<Layer> = vec![WhiteningConv2d { kernel: 2.into() }.into(), Gelu {}.into()];
    for channels in WIDTHS {
        let conv = || Conv2d { padding: 1.into(), bias: false, ..Conv2d::new(channels, 3) }.into();
        let normal = || [BatchNorm2d { momentum: Some(0.4), eps: Some(1e-12), ..BatchNorm2d::default() }.into(), Gelu {}.into()];
        layers.extend([conv(), max_pool(2)]);
        layers.extend(normal());
        layers.push(conv());
        layers.extend(normal());
    }
    let logits = Linear { bias: false, ..Linear::new(task.classes) };
    layers.extend([max_pool(3), flatten(), logits.into(), Scale { factor: 1.0 / 9.0 }.into()]);
    Ok(layers)
}
