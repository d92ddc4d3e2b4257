//! Pooling.

use crate::spec::fields::{Edges, Extent, default, size};
use crate::spec::layer::LayerType;
use crate::spec::plan::{Input, Plan, Wrong};
use gpu_core::ops::Divisor;
use serde::{Deserialize, Serialize};

without_fields! {
    GlobalAvgPool => crate::GlobalAvgPool,
    GlobalMaxPool => crate::GlobalMaxPool,
}

/// See [`crate::MaxPool2d`]; the stride is the kernel unless given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxPool2d {
    pub kernel: Extent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<Extent>,
    #[serde(default)]
    pub padding: Edges,
    #[serde(default = "default::one")]
    pub dilation: Extent,
    #[serde(default)]
    pub ceil_mode: bool,
}

impl MaxPool2d {
    /// Windows side by side.
    pub fn new(kernel: impl Into<Extent>) -> Self {
        let (padding, dilation) = (Edges::default(), default::one());
        Self { kernel: kernel.into(), stride: None, padding, dilation, ceil_mode: false }
    }
}

impl LayerType for MaxPool2d {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        let (kernel, stride) = (self.kernel.sizes("kernel")?, self.stride.unwrap_or(self.kernel).sizes("stride")?);
        let pool = crate::MaxPool2d::new(kernel).stride(stride).padding(self.padding.pair("padding")?);
        Plan::of(pool.dilation(self.dilation.sizes("dilation")?).ceil_mode(self.ceil_mode), x)
    }
}

/// See [`crate::MaxPool1d`]; the stride is the kernel unless given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxPool1d {
    pub kernel: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<usize>,
    #[serde(default)]
    pub padding: Edges,
    #[serde(default = "default::single")]
    pub dilation: usize,
    #[serde(default)]
    pub ceil_mode: bool,
}

impl LayerType for MaxPool1d {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        let (kernel, stride) = (size("kernel", self.kernel)?, size("stride", self.stride.unwrap_or(self.kernel))?);
        let pool = crate::MaxPool1d::new(kernel).stride(stride).padding(self.padding.single("padding")?);
        Plan::of(pool.dilation(size("dilation", self.dilation)?).ceil_mode(self.ceil_mode), x)
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
    #[serde(default)]
    pub ceil_mode: bool,
    #[serde(default = "default::yes")]
    pub count_include_pad: bool,
    /// In the place of the number of elements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub divisor: Option<usize>,
}

impl AvgPool2d {
    /// Windows side by side.
    pub fn new(kernel: impl Into<Extent>) -> Self {
        let padding = Edges::default();
        Self { kernel: kernel.into(), stride: None, padding, ceil_mode: false, count_include_pad: true, divisor: None }
    }
}

impl LayerType for AvgPool2d {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        let (kernel, stride) = (self.kernel.sizes("kernel")?, self.stride.unwrap_or(self.kernel).sizes("stride")?);
        let pool = crate::AvgPool2d::new(kernel).stride(stride).padding(self.padding.pair("padding")?);
        Plan::of(pool.ceil_mode(self.ceil_mode).divisor(divisor(self.divisor, self.count_include_pad)?), x)
    }
}

/// See [`crate::AvgPool1d`]; the stride is the kernel unless given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AvgPool1d {
    pub kernel: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<usize>,
    #[serde(default)]
    pub padding: Edges,
    #[serde(default)]
    pub ceil_mode: bool,
    #[serde(default = "default::yes")]
    pub count_include_pad: bool,
}

impl LayerType for AvgPool1d {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        let (kernel, stride) = (size("kernel", self.kernel)?, size("stride", self.stride.unwrap_or(self.kernel))?);
        let pool = crate::AvgPool1d::new(kernel).stride(stride).padding(self.padding.single("padding")?);
        Plan::of(pool.ceil_mode(self.ceil_mode).divisor(divisor(None, self.count_include_pad)?), x)
    }
}

fn divisor(fixed: Option<usize>, count_include_pad: bool) -> Result<Divisor, Wrong> {
    Ok(match fixed {
        Some(fixed) => Divisor::Fixed(size("divisor", fixed)?),
        None if count_include_pad => Divisor::Window,
        None => Divisor::Inside,
    })
}

/// See [`crate::AdaptiveAvgPool2d`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveAvgPool2d {
    pub size: Extent,
}

impl LayerType for AdaptiveAvgPool2d {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        Plan::of(crate::AdaptiveAvgPool2d::new(self.size.sizes("size")?), x)
    }
}

/// See [`crate::AdaptiveMaxPool2d`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveMaxPool2d {
    pub size: Extent,
}

impl LayerType for AdaptiveMaxPool2d {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        Plan::of(crate::AdaptiveMaxPool2d::new(self.size.sizes("size")?), x)
    }
}
