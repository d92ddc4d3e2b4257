//! The `ThreeLayerConvNet` of the assignments of Stanford's CS231n: two convolutions that keep the size, and a linear layer.

use super::Task;
use crate::layers::{Conv2d, Flatten, Linear, Relu, Sequential};
use crate::seq;
use crate::spec::SpecError;

pub(super) fn three_layer(task: &Task) -> Result<Sequential, SpecError> {
    let [first, second] = [Conv2d::new(32, 5).padding(2), Conv2d::new(16, 3).padding(1)];
    Ok(seq![first, Relu, second, Relu, Flatten, Linear::new(task.classes)])
}
