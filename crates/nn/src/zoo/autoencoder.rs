//! A convolutional autoencoder: it halves the image twice and brings it back by transposed convolutions.

use super::Task;
use super::parts::{conv, conv_bn_relu};
use crate::layers::{BatchNorm2d, ConvTranspose2d, Relu, Sequential};
use crate::seq;
use crate::spec::SpecError;

pub(super) fn autoencoder(task: &Task) -> Result<Sequential, SpecError> {
    let [channels, h, w] = task.input;
    if !h.is_multiple_of(4) || !w.is_multiple_of(4) {
        return Err(SpecError::Unsuitable(format!(
            "autoencoder: height and width are halved twice, {h}x{w} cannot be; pad or crop"
        )));
    }
    let down = |out| conv_bn_relu(conv(out, 3).stride(2));
    // A kernel of 4 with stride 2 covers every output pixel equally often.
    let up = |out| ConvTranspose2d::new(out, 4).stride(2).padding(1);
    Ok(seq![..down(32), ..down(64), up(32).no_bias(), BatchNorm2d::new(), Relu, up(channels)])
}
