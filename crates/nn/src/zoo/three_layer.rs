//! The `ThreeLayerConvNet` of the assignments of Stanford's CS231n: two convolutions that keep the size, and a linear layer.

use super::Task;
use super::parts::{flatten, linear, relu};
use crate::spec::types::Conv2d;
use crate::spec::{Layer, SpecError};

pub(super) fn layers(task: &Task) -> Result<Vec<Layer>, SpecError> {
    let conv = |out, kernel: usize| Conv2d { padding: (kernel / 2).into(), ..Conv2d::new(out, kernel) }.into();
    Ok(vec![conv(32, 5), relu(), conv(16, 3), relu(), flatten(), linear(task.classes)])
}
