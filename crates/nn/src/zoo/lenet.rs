//! LeNet-5: LeCun et al., "Gradient-based learning applied to document recognition", 1998, with a last layer of logits in the place of
//! radial functions, and plain means in the place of learned ones.

use super::Task;
use super::parts::{flatten, linear};
use crate::spec::types::{AvgPool2d, Conv2d, Tanh};
use crate::spec::{Layer, SpecError};

pub(super) fn layers(task: &Task) -> Result<Vec<Layer>, SpecError> {
    let tanh = || Tanh {}.into();
    // The paper's images are MNIST's with a margin of 2.
    let margin: usize = if task.input[1..] == [28, 28] { 2 } else { 0 };
    let first = Conv2d { padding: margin.into(), ..Conv2d::new(6, 5) };
    let mut layers: Vec<Layer> = vec![first.into(), tanh(), AvgPool2d::new(2).into()];
    layers.extend([Conv2d::new(16, 5).into(), tanh(), AvgPool2d::new(2).into(), flatten()]);
    layers.extend([linear(120), tanh(), linear(84), tanh(), linear(task.classes)]);
    Ok(layers)
}
