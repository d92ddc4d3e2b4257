//! U-Net: Ronneberger et al., 2015, padded so that the output has the input's size, with batch normalisation.

use super::Task;
use super::parts::{conv, conv_bn_relu};
use crate::layers::{Concat, Conv2d, ConvTranspose2d, MaxPool2d, Sequential};
use crate::seq;
use crate::spec::SpecError;

/// A channel for each class: what each pixel shows. The paper's.
pub(super) fn unet(task: &Task) -> Result<Sequential, SpecError> {
    of("unet", task, 64, 4)
}

/// A sixty-fourth of its weights, for few pictures or no GPU.
pub(super) fn small(task: &Task) -> Result<Sequential, SpecError> {
    of("unet-small", task, 16, 3)
}

/// So many channels at full size; each halving doubles them.
fn of(name: &str, task: &Task, width: usize, halvings: usize) -> Result<Sequential, SpecError> {
    let ([_, h, w], multiple) = (task.input, 1 << halvings);
    if !h.is_multiple_of(multiple) || !w.is_multiple_of(multiple) {
        let message = format!(
            "{name}: height and width are halved {halvings} times, {h}x{w} cannot be; pad or crop to multiples of {multiple}"
        );
        return Err(SpecError::Unsuitable(message));
    }
    Ok(seq![..level(width, halvings), Conv2d::new(task.classes, 1)])
}

/// Two convolutions; then, unless it is the deepest level, what comes back from below beside what went down, and two more.
fn level(channels: usize, below: usize) -> Sequential {
    let twice = || {
        let one = || conv_bn_relu(conv(channels, 3));
        seq![..one(), ..one()]
    };
    if below == 0 {
        return twice();
    }
    let up = ConvTranspose2d::new(channels, 2).stride(2);
    let down = seq![MaxPool2d::new(2), ..level(2 * channels, below - 1), up];
    seq![..twice(), Concat::new([seq![], down]), ..twice()]
}
