//! A convolutional autoencoder: it halves the image twice and brings it back by transposed convolutions.

use super::Task;
use super::parts::{bn, conv, relu};
use crate::spec::types::ConvTranspose2d;
use crate::spec::{Layer, SpecError};

pub(super) fn layers(task: &Task) -> Result<Vec<Layer>, SpecError> {
    let [channels, h, w] = task.input;
    if !h.is_multiple_of(4) || !w.is_multiple_of(4) {
        return Err(SpecError::Unsuitable(format!(
            "autoencoder: height and width are halved twice, {h}x{w} cannot be; pad or crop"
        )));
    }
    let down = |out| [conv(out, 3, 2, 1), bn(), relu()];
    // A kernel of 4 with stride 2 covers every output pixel equally often.
    let up = |out, bias| ConvTranspose2d { stride: 2.into(), padding: 1.into(), bias, ..ConvTranspose2d::new(out, 4) }.into();
    let mut layers = [down(32), down(64)].concat();
    layers.extend([up(32, false), bn(), relu(), up(channels, true)]);
    Ok(layers)
}
