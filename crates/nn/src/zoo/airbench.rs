//! A network for CIFAR-10 in seconds: Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU", 2024.
//!
//! The first convolution is not learned: it makes 2x2 patches of the training images uncorrelated. The others pass their inputs on at
//! first, and the logits begin small. As in the paper, the running values of the normalisations follow the newest batches closely.

use super::Task;
use super::parts::conv;
use crate::layers::{BatchNorm2d, Flatten, Gelu, Linear, MaxPool2d, Scale, Sequential, WhiteningConv2d};
use crate::seq;
use crate::spec::SpecError;

pub(super) fn airbench(task: &Task) -> Result<Sequential, SpecError> {
    let norm = || BatchNorm2d::new().momentum(0.4).eps(1e-12);
    let block = |channels| {
        let conv = || conv(channels, 3).dirac();
        seq![conv(), MaxPool2d::new(2), norm(), Gelu, conv(), norm(), Gelu]
    };
    Ok(seq![
        WhiteningConv2d::new(2),
        Gelu,
        ..block(64),
        ..block(256),
        ..block(256),
        MaxPool2d::new(3),
        Flatten,
        Linear::new(task.classes).no_bias(),
        Scale::new(1.0 / 9.0),
    ])
}
