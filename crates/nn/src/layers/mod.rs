//! Layers: thin owners of parameters around the operators of [`Var`](crate::Var).

mod activation;
mod adaptive_pool;
mod affine;
mod batch_norm;
mod concat;
mod conv;
mod conv_transpose;
mod dropout;
mod filters;
mod linear;
mod norm;
mod pool;
mod resample;
mod residual;
mod scale;
mod sequential;
#[cfg(test)]
mod tests;
mod whitening;

pub use activation::{
    Elu, Flatten, Gelu, GeluTanh, Hardsigmoid, Hardswish, LeakyRelu, LogSoftmax, Mish, Relu, Relu6, Selu, Sigmoid, Silu, Softmax,
    Softplus, Tanh,
};
pub use adaptive_pool::{AdaptiveAvgPool2d, AdaptiveMaxPool2d, GlobalAvgPool, GlobalMaxPool};
pub use batch_norm::{BatchNorm, BatchNorm1d, BatchNorm2d, DemeanNorm};
pub use concat::Concat;
pub use conv::{Conv, Conv1d, Conv2d};
pub use conv_transpose::{ConvTranspose, ConvTranspose1d, ConvTranspose2d};
pub use dropout::{AlphaDropout, BernoulliKeep, Dropout, Dropout1d, Dropout2d, FeatureAlphaDropout, GaussianNoise};
pub use linear::Linear;
pub use norm::{GroupNorm, InstanceNorm, InstanceNorm1d, InstanceNorm2d, LayerNorm, RmsNorm};
pub use pool::{AvgPool, AvgPool1d, AvgPool2d, MaxPool, MaxPool1d, MaxPool2d};
pub use resample::{PixelShuffle, PixelUnshuffle, Upsample};
pub use residual::Residual;
pub use scale::Scale;
pub use sequential::Sequential;
pub use whitening::WhiteningConv2d;
pub(crate) use whitening::whiten;

use gpu_core::ops::Padding;

/// A kernel size, stride or dilation: one number for all axes, or one an axis, as PyTorch takes them.
///
/// ```
/// use nn::Pair;
/// assert_eq!(Pair::from(3), Pair::from((3, 3)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extents<const D: usize>(pub [usize; D]);

/// Rows and columns.
pub type Pair = Extents<2>;

impl<const D: usize> From<usize> for Extents<D> {
    fn from(all: usize) -> Self {
        Self([all; D])
    }
}

impl<const D: usize> From<[usize; D]> for Extents<D> {
    fn from(each: [usize; D]) -> Self {
        Self(each)
    }
}

impl From<(usize, usize)> for Extents<2> {
    fn from((rows, columns): (usize, usize)) -> Self {
        Self([rows, columns])
    }
}

/// `3x3`.
fn extents<const D: usize>(each: [usize; D]) -> String {
    each.map(|v| v.to_string()).join("x")
}

/// The options that differ from a layer's defaults, as `, stride 2`.
fn option<const D: usize>(name: &str, value: [usize; D], default: usize) -> String {
    match value {
        value if value == [default; D] => String::new(),
        value if value == [value[0]; D] => format!(", {name} {}", value[0]),
        value => format!(", {name} {}", extents(value)),
    }
}

/// A padding that is there, as `, pad 1`.
fn padded<const D: usize>(padding: Padding<D>) -> String {
    if padding.is_zero() { String::new() } else { format!(", pad {padding}") }
}
