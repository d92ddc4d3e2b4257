//! Models that fit small images: each a layer list for given channels, height, width and classes.
//!
//! | name | model | keys |
//! | --- | --- | --- |
//! | `small-cnn` | four 3x3 convolutions with batch normalisation, two poolings, dropout, linear | `0.weight`, `1.running_mean`, ..., `16.bias` |
//! | `resnet20` | He et al., 2015, section 4.2, with projections where the shape changes | `0.weight`, `3.body.0.weight`, `9.shortcut.0.weight`, ..., `23.bias` |
//! | `mobilenet` | Howard et al., 2017: depthwise separable convolutions, three halvings | `0.weight`, `3.weight`, ..., `47.bias` |
//! | `autoencoder` | two halvings and two transposed convolutions back; no classes | `0.weight`, ..., `9.bias` |
//!
//! A layer's position is its name; `torch.nn.Sequential` of the same layers has the same state dict.

mod autoencoder;
mod mobilenet;
mod resnet20;
mod small_cnn;
#[cfg(test)]
mod tests;

use crate::init::Init;
use crate::layers::Sequential;
use crate::spec::types::{BatchNorm2d, Conv2d, Flatten, GlobalAvgPool, Linear, MaxPool2d, Relu};
use crate::spec::{Layer, Spec, SpecError};
use gpu_core::Shape;

/// The names of all models.
pub const NAMES: &[&str] = &["small-cnn", "resnet20", "mobilenet", "autoencoder"];

/// The layer list of a model for inputs (C, H, W); `_` and `-` are one.
///
/// # Errors
/// If there is no such model, or the input does not suit it.
pub fn spec(name: &str, input: Shape, classes: usize) -> Result<Spec, SpecError> {
    let &[c, h, w] = input.dims() else {
        return Err(SpecError::Unsuitable(format!("{name}: an input is (C, H, W), not {input}")));
    };
    let layers = match name.replace('_', "-").as_str() {
        "small-cnn" => small_cnn::layers(classes),
        "resnet20" => resnet20::layers(classes),
        "mobilenet" => mobilenet::layers(classes),
        "autoencoder" => autoencoder::layers([c, h, w])?,
        _ => return Err(SpecError::UnknownModel { name: name.to_owned(), known: NAMES.join(", ") }),
    };
    let spec = Spec::new([c, h, w], layers);
    spec.out_shape()?;
    Ok(spec)
}

/// Makes a model.
///
/// # Errors
/// As [`spec`], or parameters that the device cannot take.
///
/// ```
/// use gpu_core::Device;
/// use nn::{Init, Module, zoo};
/// let net = zoo::build("resnet20", &Init::seeded(&Device::Cpu, 0), [3, 32, 32].into(), 10)?;
/// assert_eq!(net.out_shape([8, 3, 32, 32].into()), Ok([8, 10].into()));
/// # Ok::<(), nn::SpecError>(())
/// ```
pub fn build(name: &str, cx: &Init, input: Shape, classes: usize) -> Result<Sequential, SpecError> {
    spec(name, input, classes)?.build(cx)
}

/// A convolution without a bias, its batch normalisation, and ReLU.
fn conv_bn_relu(out: usize, kernel: usize, stride: usize, groups: usize) -> [Layer; 3] {
    [conv(out, kernel, stride, groups), bn(), relu()]
}

/// A convolution without a bias that pads to keep the size at stride 1.
fn conv(out: usize, kernel: usize, stride: usize, groups: usize) -> Layer {
    let (stride, padding) = (stride.into(), (kernel / 2).into());
    Conv2d { stride, padding, groups, bias: false, ..Conv2d::new(out, kernel) }.into()
}

/// The mean of each channel, then a linear layer.
fn head(classes: usize) -> [Layer; 3] {
    [GlobalAvgPool {}.into(), flatten(), linear(classes)]
}

fn bn() -> Layer {
    BatchNorm2d::default().into()
}
fn relu() -> Layer {
    Relu {}.into()
}
fn flatten() -> Layer {
    Flatten {}.into()
}
fn linear(out: usize) -> Layer {
    Linear::new(out).into()
}
/// Windows side by side.
fn max_pool(kernel: usize) -> Layer {
    MaxPool2d::new(kernel).into()
}
