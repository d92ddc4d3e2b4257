//! U-Net: Ronneberger et al., 2015, padded so that the output has the input's size, with batch normalisation.

use super::Task;
use super::parts::{conv_bn_relu, max_pool};
use crate::spec::types::{Concat, Conv2d, ConvTranspose2d};
use crate::spec::{Layer, SpecError};

/// Channels at full size; each halving doubles them.
const WIDTH: usize = 64;
const HALVINGS: usize = 4;

/// A channel for each class: what each pixel shows.
pub(super) fn unet(task: &Task) -> Result<Vec<Layer>, SpecError> {
    let [_, h, w] = task.input;
    let multiple = 1 << HALVINGS;
    if !h.is_multiple_of(multiple) || !w.is_multiple_of(multiple) {
        let message = format!(
            "unet: height and width are halved {HALVINGS} times, {h}x{w} cannot be; pad or crop to multiples of {multiple}"
        );
        return Err(SpecError::Unsuitable(message));
    }
    Ok(layers(WIDTH, HALVINGS, task.classes))
}

pub(super) fn layers(width: usize, halvings: usize, classes: usize) -> Vec<Layer> {
    let mut layers = level(width, halvings);
    layers.push(Conv2d::new(classes, 1).into());
    layers
}

/// Two convolutions; then, unless it is the deepest level, what comes back from below beside what went down, and two more.
fn level(channels: usize, below: usize) -> Vec<Layer> {
    let twice = || [conv_bn_relu(channels, 3, 1, 1), conv_bn_relu(channels, 3, 1, 1)].concat();
    let mut layers = twice();
    if below > 0 {
        let mut down = vec![max_pool(2)];
        down.extend(level(2 * channels, below - 1));
        down.push(ConvTranspose2d { stride: 2.into(), ..ConvTranspose2d::new(channels, 2) }.into());
        layers.push(Concat { branches: vec![Vec::new(), down] }.into());
        layers.extend(twice());
    }
    layers
}
