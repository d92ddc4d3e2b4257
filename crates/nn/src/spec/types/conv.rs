//! Convolutions.

use crate::spec::fields::{self, Edges, Extent, default, size};
use crate::spec::layer::LayerType;
use crate::spec::plan::{Input, Plan, Wrong};
use gpu_core::Shape;
use gpu_core::ops::{Conv2dGeometry, ConvTranspose2dGeometry, Padding};
use serde::{Deserialize, Serialize};

/// See [`crate::Conv2d`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv2d {
    pub out: usize,
    pub kernel: Extent,
    #[serde(default = "default::one")]
    pub stride: Extent,
    #[serde(default)]
    pub padding: Edges,
    #[serde(default = "default::one")]
    pub dilation: Extent,
    #[serde(default = "default::single")]
    pub groups: usize,
    #[serde(default = "default::yes")]
    pub bias: bool,
}

impl Conv2d {
    /// Stride 1, no padding, no dilation, one group, with a bias.
    pub fn new(out: usize, kernel: impl Into<Extent>) -> Self {
        let (kernel, one, padding) = (kernel.into(), default::one(), Edges::default());
        Self { out, kernel, stride: one, padding, dilation: one, groups: 1, bias: true }
    }
}

impl LayerType for Conv2d {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        let (c, out, bias) = (x.image_channels()?, size("out", self.out)?, self.bias);
        let (kernel, groups) = (self.kernel.sizes("kernel")?, fields::groups(self.groups, c, out)?);
        let (stride, dilation) = (self.stride.sizes("stride")?, self.dilation.sizes("dilation")?);
        let padding = Padding::from(self.padding.sides("padding")?);
        let w = [out, c / groups, kernel[0], kernel[1]];
        let output = Conv2dGeometry { stride, padding, dilation, groups }.out_shape(x.shape, Shape::from(w))?;
        let plan = Plan::new(output, move |cx| {
            let conv = crate::Conv2d::new(cx, c, out, kernel).groups(groups);
            let conv = conv.stride(stride).padding(padding).dilation(dilation);
            if bias { conv } else { conv.no_bias() }
        });
        plan.learns(&w)?.learns(&[if bias { out } else { 0 }])
    }
}

/// See [`crate::ConvTranspose2d`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvTranspose2d {
    pub out: usize,
    pub kernel: Extent,
    #[serde(default = "default::one")]
    pub stride: Extent,
    #[serde(default)]
    pub padding: Edges,
    #[serde(default = "default::zero")]
    pub output_padding: Extent,
    #[serde(default = "default::single")]
    pub groups: usize,
    #[serde(default = "default::yes")]
    pub bias: bool,
}

impl ConvTranspose2d {
    /// Stride 1, no padding, one group, with a bias.
    pub fn new(out: usize, kernel: impl Into<Extent>) -> Self {
        let (kernel, stride, output_padding) = (kernel.into(), default::one(), default::zero());
        Self { out, kernel, stride, padding: Edges::default(), output_padding, groups: 1, bias: true }
    }
}

impl LayerType for ConvTranspose2d {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        let (c, out, bias) = (x.image_channels()?, size("out", self.out)?, self.bias);
        let (kernel, groups) = (self.kernel.sizes("kernel")?, fields::groups(self.groups, c, out)?);
        let (stride, padding) = (self.stride.sizes("stride")?, Padding::from(self.padding.sides("padding")?));
        let output_padding = self.output_padding.counts("output_padding")?;
        let w = [c, out / groups, kernel[0], kernel[1]];
        let geometry = ConvTranspose2dGeometry { stride, padding, output_padding, dilation: [1; 2], groups };
        let plan = Plan::new(geometry.out_shape(x.shape, Shape::from(w))?, move |cx| {
            let conv = crate::ConvTranspose2d::new(cx, c, out, kernel).groups(groups);
            let conv = conv.stride(stride).padding(padding).output_padding(output_padding);
            if bias { conv } else { conv.no_bias() }
        });
        plan.learns(&w)?.learns(&[if bias { out } else { 0 }])
    }
}

/// See [`crate::WhiteningConv2d`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhiteningConv2d {
    pub kernel: Extent,
}

impl WhiteningConv2d {
    /// The largest patch whose covariance is worked out in no time.
    const MAX_PATCH: usize = 256;
}

impl LayerType for WhiteningConv2d {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        let (c, [r, s]) = (x.image_channels()?, self.kernel.sizes("kernel")?);
        let patch = c.saturating_mul(r * s);
        if patch > Self::MAX_PATCH {
            return Err(format!("a patch of {c} x {r} x {s} values is over {}", Self::MAX_PATCH).into());
        }
        let output = Conv2dGeometry::default().out_shape(x.shape, Shape::from([2 * patch, c, r, s]))?;
        Plan::new(output, move |cx| crate::WhiteningConv2d::new(cx, c, [r, s])).learns(&[2 * patch])
    }
}
