//! Convolutions.

use crate::error::Result;
use crate::golden::call::{Call, Operator, Results};
use gpu_core::ops::{ConvGeometry, ConvTransposeGeometry, Padding};
use serde_json::Value;

pub(super) fn operator(op: &str) -> Option<Operator> {
    Some(match op {
        "conv1d" => |c| c.convolution(|v, g| v[0].conv1d(&v[1], v.get(2), g)),
        "conv2d" => |c| c.convolution(|v, g| v[0].conv2d(&v[1], v.get(2), g)),
        "conv_transpose1d" => |c| c.transposed_convolution(|v, g| v[0].conv_transpose1d(&v[1], v.get(2), g)),
        "conv_transpose2d" => |c| c.transposed_convolution(|v, g| v[0].conv_transpose2d(&v[1], v.get(2), g)),
        _ => return None,
    })
}

impl Call<'_> {
    fn convolution<const D: usize>(&self, f: impl Fn(&[nn::Var], ConvGeometry<D>) -> nn::Var) -> Result<Option<Results>> {
        let Some(g) = self.convolution_geometry()? else { return Ok(None) };
        self.differentiate(self.filter_roles(), |v| f(v, g))
    }

    fn transposed_convolution<const D: usize>(
        &self,
        f: impl Fn(&[nn::Var], ConvTransposeGeometry<D>) -> nn::Var,
    ) -> Result<Option<Results>> {
        let Some(g) = self.transposed_geometry() else { return Ok(None) };
        self.differentiate(self.filter_roles(), |v| f(v, g))
    }

    /// Without a bias where the case has none.
    fn filter_roles(&self) -> &'static [&'static str] {
        if self.file.has(&self.key("b")) { &["x", "w", "b"] } else { &["x", "w"] }
    }

    fn convolution_geometry<const D: usize>(&self) -> Result<Option<ConvGeometry<D>>> {
        let kernel = self.file.array(&self.key("w"))?.0.get(2..).and_then(|kernel| kernel.try_into().ok());
        let geometry = || {
            self.knows(&["stride", "padding", "dilation", "groups"]).then_some(())?;
            let dilation = self.extents("dilation", [1; D])?;
            let padding = match self.case.attrs.get("padding").and_then(Value::as_str) {
                Some("same") => Padding::same(kernel?, dilation),
                Some("valid") => Padding::default(),
                Some(_) => return None,
                None => self.extents("padding", [0; D])?.into(),
            };
            Some(ConvGeometry { stride: self.extents("stride", [1; D])?, padding, dilation, groups: self.case.attr("groups", 1) })
        };
        Ok(geometry())
    }

    fn transposed_geometry<const D: usize>(&self) -> Option<ConvTransposeGeometry<D>> {
        self.knows(&["stride", "padding", "output_padding", "dilation", "groups"]).then_some(())?;
        Some(ConvTransposeGeometry {
            stride: self.extents("stride", [1; D])?,
            padding: Padding::both(self.extents("padding", [0; D])?),
            output_padding: self.extents("output_padding", [0; D])?,
            dilation: self.extents("dilation", [1; D])?,
            groups: self.case.attr("groups", 1),
        })
    }
}
