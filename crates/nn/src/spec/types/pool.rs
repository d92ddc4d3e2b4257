//! Pooling.

use crate::spec::fields::{Edges, Extent};
use crate::spec::layer::LayerType;
use crate::spec::plan::{Input, Plan, Wrong};
use serde::{Deserialize, Serialize};

/// See [`crate::MaxPool2d`]; the stride is the kernel unless given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxPool2d {
    pub kernel: Extent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<Extent>,
    #[serde(default)]
    pub padding: Edges,
}

impl MaxPool2d {
    /// Windows side by side.
    pub fn new(kernel: impl Into<Extent>) -> Self {
        Self { kernel: kernel.into(), stride: None, padding: Edges::default() }
    }
}

impl LayerType for MaxPool2d {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        let (kernel, stride) = (self.kernel.sizes("kernel")?, self.stride.unwrap_or(self.kernel).sizes("stride")?);
        Plan::of(crate::MaxPool2d::new(kernel).stride(stride).padding(self.padding.pair("padding")?), x)
    }
}

/// See [`crate::AvgPool2d`]; the stride is the kernel unless given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AvgPool2d {
    pub kernel: Extent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<Extent>,
    #[serde(default)]
    pub padding: Edges,
}

impl AvgPool2d {
    /// Windows side by side.
    pub fn new(kernel: impl Into<Extent>) -> Self {
        Self { kernel: kernel.into(), stride: None, padding: Edges::default() }
    }
}

impl LayerType for AvgPool2d {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        let (kernel, stride) = (self.kernel.sizes("kernel")?, self.stride.unwrap_or(self.kernel).sizes("stride")?);
        Plan::of(crate::AvgPool2d::new(kernel).stride(stride).padding(self.padding.pair("padding")?), x)
    }
}

/// See [`crate::GlobalAvgPool`].
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalAvgPool {}

impl LayerType for GlobalAvgPool {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        Plan::of(crate::GlobalAvgPool, x)
    }
}
