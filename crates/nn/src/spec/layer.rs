//! The layer types and their fields.

use serde::{Deserialize, Serialize};

/// A layer of a [`Spec`](super::Spec): what a layer list names by `type`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[allow(missing_docs)] // The fields are those of the layers.
pub enum Layer {
    /// See [`Conv2d`](crate::Conv2d).
    Conv2d {
        out: usize,
        kernel: Extent,
        #[serde(default = "one")]
        stride: Extent,
        #[serde(default = "zero")]
        padding: Extent,
        #[serde(default = "one")]
        dilation: Extent,
        #[serde(default = "one_group")]
        groups: usize,
        #[serde(default = "yes")]
        bias: bool,
    },
    /// See [`ConvTranspose2d`](crate::ConvTranspose2d).
    ConvTranspose2d {
        out: usize,
        kernel: Extent,
        #[serde(default = "one")]
        stride: Extent,
        #[serde(default = "zero")]
        padding: Extent,
        #[serde(default = "zero")]
        output_padding: Extent,
        #[serde(default = "one_group")]
        groups: usize,
        #[serde(default = "yes")]
        bias: bool,
    },
    /// See [`BatchNorm2d`](crate::BatchNorm2d).
    BatchNorm,
    /// See [`Relu`](crate::Relu).
    Relu,
    /// See [`Flatten`](crate::Flatten).
    Flatten,
    /// See [`GlobalAvgPool`](crate::GlobalAvgPool).
    GlobalAvgPool,
    /// See [`MaxPool2d`](crate::MaxPool2d); the stride is the kernel unless given.
    MaxPool2d {
        kernel: Extent,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stride: Option<Extent>,
        #[serde(default = "zero")]
        padding: Extent,
    },
    /// See [`AvgPool2d`](crate::AvgPool2d); the stride is the kernel unless given.
    AvgPool2d {
        kernel: Extent,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stride: Option<Extent>,
        #[serde(default = "zero")]
        padding: Extent,
    },
    /// See [`Dropout`](crate::Dropout).
    Dropout { p: f32 },
    /// See [`Dropout2d`](crate::Dropout2d).
    Dropout2d { p: f32 },
    /// See [`Linear`](crate::Linear); `in` follows from the shapes unless given.
    Linear {
        #[serde(rename = "in", default, skip_serializing_if = "Option::is_none")]
        input: Option<usize>,
        out: usize,
        #[serde(default = "yes")]
        bias: bool,
    },
    /// See [`Residual`](crate::Residual); an empty shortcut is the identity.
    #[serde(skip_deserializing)]
    Residual {
        body: Vec<Layer>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        shortcut: Vec<Layer>,
    },
}

/// The types, as they are written.
pub(super) const KINDS: [&str; 12] = [
    "conv2d",
    "conv_transpose2d",
    "batch_norm",
    "relu",
    "flatten",
    "global_avg_pool",
    "max_pool2d",
    "avg_pool2d",
    "dropout",
    "dropout2d",
    "linear",
    "residual",
];

/// A size, stride or padding: a number, or `[rows, columns]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a whole number or [rows, columns] is expected")]
pub enum Extent {
    /// Both axes.
    Both(usize),
    /// Rows and columns.
    Each([usize; 2]),
}

impl Extent {
    /// Rows and columns.
    pub fn pair(self) -> [usize; 2] {
        match self {
            Self::Both(both) => [both; 2],
            Self::Each(pair) => pair,
        }
    }
}

impl From<usize> for Extent {
    fn from(both: usize) -> Self {
        Self::Both(both)
    }
}

fn one() -> Extent {
    Extent::Both(1)
}
fn zero() -> Extent {
    Extent::Both(0)
}
fn one_group() -> usize {
    1
}
fn yes() -> bool {
    true
}

impl Layer {
    /// Its type, as it is written.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Conv2d { .. } => KINDS[0],
            Self::ConvTranspose2d { .. } => KINDS[1],
            Self::BatchNorm => KINDS[2],
            Self::Relu => KINDS[3],
            Self::Flatten => KINDS[4],
            Self::GlobalAvgPool => KINDS[5],
            Self::MaxPool2d { .. } => KINDS[6],
            Self::AvgPool2d { .. } => KINDS[7],
            Self::Dropout { .. } => KINDS[8],
            Self::Dropout2d { .. } => KINDS[9],
            Self::Linear { .. } => KINDS[10],
            Self::Residual { .. } => KINDS[11],
        }
    }
}
