//! Four convolutions and a linear layer: the smallest that learns CIFAR-10 well.

use super::Task;
use super::parts::{conv, conv_bn_relu};
use crate::layers::{Dropout, Flatten, Linear, MaxPool2d, Sequential};
use crate::seq;
use crate::spec::SpecError;

pub(super) fn small_cnn(task: &Task) -> Result<Sequential, SpecError> {
    let stage = |channels| {
        let twice = || conv_bn_relu(conv(channels, 3));
        seq![..twice(), ..twice(), MaxPool2d::new(2)]
    };
    Ok(seq![..stage(32), ..stage(64), Dropout::new(0.3), Flatten, Linear::new(task.classes)])
}
