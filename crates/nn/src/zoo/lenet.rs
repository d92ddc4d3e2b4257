//! LeNet-5: LeCun et al., "Gradient-based learning applied to document recognition", 1998, as it is built today: with ReLU and with a
//! last layer of logits.

use super::Task;
use super::parts::{flatten, linear, relu};
use crate::spec::types::{AvgPool2d, Conv2d};
use crate::spec::{Layer, SpecError};

pub(super) fn layers(task: &Task) -> Result<Vec<Layer>, SpecError> {
    // The paper's images are MNIST's with a margin of 2.
    let margin = if task.input[1..] == [28, 28] { 2 } else { 0 };
    let first = Conv2d { padding: margin.into(), ..Conv2d::new(6, 5) };
    let mut layers: Vec<Layer> = vec![first.into(), relu(), AvgPool2d::new(2).into()];
    layers.extend([Conv2d::new(16, 5).into(), relu(), AvgPool2d::new(2).into(), flatten()]);
    layers.extend([linear(120), relu(), linear(84), relu(), linear(task.classes)]);
    Ok(layers)
}
