//! Convolutions along one axis.

use crate::spec::fields::{self, Edges, count, default, size};
use crate::spec::layer::LayerType;
use crate::spec::plan::{Input, Plan, Wrong};
use gpu_core::Shape;
use gpu_core::ops::{ConvGeometry, ConvTransposeGeometry};
use serde::{Deserialize, Serialize};

/// See [`crate::Conv1d`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv1d {
    pub out: usize,
    pub kernel: usize,
    #[serde(default = "default::single")]
    pub stride: usize,
    #[serde(default)]
    pub padding: Edges,
    #[serde(default = "default::single")]
    pub dilation: usize,
    #[serde(default = "default::single")]
    pub groups: usize,
    #[serde(default = "default::yes")]
    pub bias: bool,
}

impl LayerType for Conv1d {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        let (c, out, bias) = (x.sequence_channels()?, size("out", self.out)?, self.bias);
        let (kernel, groups) = (size("kernel", self.kernel)?, fields::groups(self.groups, c, out)?);
        let (stride, dilation) = (size("stride", self.stride)?, size("dilation", self.dilation)?);
        let padding = self.padding.ends("padding", kernel, dilation)?;
        let w = [out, c / groups, kernel];
        let geometry = ConvGeometry { stride: [stride], padding, dilation: [dilation], groups };
        let plan = Plan::new(geometry.out_shape(x.shape, Shape::from(w))?, move |cx| {
            let conv = crate::Conv1d::new(cx, c, out, kernel).groups(groups);
            let conv = conv.stride(stride).padding(padding).dilation(dilation);
            if bias { conv } else { conv.no_bias() }
        });
        plan.learns(&w)?.learns(&[if bias { out } else { 0 }])
    }
}

/// See [`crate::ConvTranspose1d`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvTranspose1d {
    pub out: usize,
    pub kernel: usize,
    #[serde(default = "default::single")]
    pub stride: usize,
    #[serde(default)]
    pub padding: Edges,
    #[serde(default)]
    pub output_padding: usize,
    #[serde(default = "default::single")]
    pub dilation: usize,
    #[serde(default = "default::single")]
    pub groups: usize,
    #[serde(default = "default::yes")]
    pub bias: bool,
}

impl LayerType for ConvTranspose1d {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        let (c, out, bias) = (x.sequence_channels()?, size("out", self.out)?, self.bias);
        let (kernel, groups) = (size("kernel", self.kernel)?, fields::groups(self.groups, c, out)?);
        let (stride, dilation) = (size("stride", self.stride)?, size("dilation", self.dilation)?);
        let (padding, added) = (self.padding.single("padding")?, count("output_padding", self.output_padding)?);
        let w = [c, out / groups, kernel];
        let geometry = ConvTransposeGeometry {
            stride: [stride],
            padding: padding.into(),
            output_padding: [added],
            dilation: [dilation],
            groups,
        };
        let plan = Plan::new(geometry.out_shape(x.shape, Shape::from(w))?, move |cx| {
            let conv = crate::ConvTranspose1d::new(cx, c, out, kernel).groups(groups);
            let conv = conv.stride(stride).padding(padding).output_padding(added).dilation(dilation);
            if bias { conv } else { conv.no_bias() }
        });
        plan.learns(&w)?.learns(&[if bias { out } else { 0 }])
    }
}
