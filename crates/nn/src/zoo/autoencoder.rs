//! A convolutional autoencoder: it halves the image twice and brings it back by transposed convolutions.

use crate::spec::{Layer, SpecError};

pub(super) fn layers([channels, h, w]: [usize; 3]) -> Result<Vec<Layer>, SpecError> {
    if !h.is_multiple_of(4) || !w.is_multiple_of(4) {
        return Err(SpecError::Unsuitable(format!(
            "autoencoder: height and width are halved twice, {h}x{w} cannot be; pad or crop"
        )));
    }
    let down = |out| [super::conv(out, 3, 2, 1), Layer::BatchNorm, Layer::Relu];
    // A kernel of 4 with stride 2 covers every output pixel equally often.
    let up = |out, bias| Layer::ConvTranspose2d {
        out,
        kernel: 4.into(),
        stride: 2.into(),
        padding: 1.into(),
        output_padding: 0.into(),
        groups: 1,
        bias,
    };
    let mut layers = [down(32), down(64)].concat();
    layers.extend([up(32, false), Layer::BatchNorm, Layer::Relu, up(channels, true)]);
    Ok(layers)
}
