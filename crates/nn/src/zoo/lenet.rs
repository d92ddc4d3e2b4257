//! LeNet-5: LeCun et al., "Gradient-based learning applied to document recognition", 1998, with a last layer of logits in the place of
//! radial functions, and plain means in the place of learned ones.

use super::Task;
use crate::layers::{AvgPool2d, Conv2d, Flatten, Linear, Sequential, Tanh};
use crate::seq;
use crate::spec::SpecError;

pub(super) fn lenet(task: &Task) -> Result<Sequential, SpecError> {
    // The paper's images are MNIST's with a margin of 2.
    let margin = if task.input[1..] == [28, 28] { 2 } else { 0 };
    let stage = |conv| seq![conv, Tanh, AvgPool2d::new(2)];
    Ok(seq![
        ..stage(Conv2d::new(6, 5).padding(margin)),
        ..stage(Conv2d::new(16, 5)),
        Flatten,
        Linear::new(120),
        Tanh,
        Linear::new(84),
        Tanh,
        Linear::new(task.classes),
    ])
}
