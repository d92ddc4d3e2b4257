//! Layers: thin owners of parameters around the operators of [`Var`](crate::Var).

mod activation;
mod affine;
mod batch_norm;
mod conv2d;
mod conv_transpose2d;
mod dropout;
mod linear;
mod norm;
mod pool;
mod residual;
mod sequential;

pub use activation::{Flatten, Relu};
pub use batch_norm::{BatchNorm, BatchNorm1d, BatchNorm2d, DemeanNorm};
pub use conv_transpose2d::ConvTranspose2d;
pub use conv2d::Conv2d;
pub use dropout::{Dropout, Dropout2d};
pub use linear::Linear;
pub use norm::{GroupNorm, InstanceNorm, InstanceNorm1d, InstanceNorm2d, LayerNorm, RmsNorm};
pub use pool::{AvgPool2d, GlobalAvgPool, MaxPool2d};
pub use residual::Residual;
pub use sequential::Sequential;

/// A kernel size, stride or padding: one number for both axes, or rows and columns.
///
/// ```
/// use nn::Pair;
/// assert_eq!(Pair::from(3), Pair::from((3, 3)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair(pub [usize; 2]);

impl From<usize> for Pair {
    fn from(both: usize) -> Self {
        Self([both; 2])
    }
}

impl From<(usize, usize)> for Pair {
    fn from((rows, columns): (usize, usize)) -> Self {
        Self([rows, columns])
    }
}

impl From<[usize; 2]> for Pair {
    fn from(both: [usize; 2]) -> Self {
        Self(both)
    }
}

/// `3x3`, or `3` where `short`.
fn both([rows, columns]: [usize; 2]) -> String {
    format!("{rows}x{columns}")
}

/// The options that differ from a layer's defaults, as `, stride 2`.
fn option(name: &str, value: [usize; 2], default: usize) -> String {
    match value {
        [a, b] if [a, b] == [default; 2] => String::new(),
        [a, b] if a == b => format!(", {name} {a}"),
        [a, b] => format!(", {name} {a}x{b}"),
    }
}
