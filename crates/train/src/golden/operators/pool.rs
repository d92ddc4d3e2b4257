//! Pooling and resampling.

use super::{Call, Operator, Results};
use crate::error::Result;
use gpu_core::ops::{Divisor, PoolGeometry};

pub(super) fn operator(op: &str) -> Option<Operator> {
    Some(match op {
        "max_pool1d" => |c| c.pooling(|v, g, _| v.max_pool1d(g)),
        "max_pool2d" => |c| c.pooling(|v, g, _| v.max_pool2d(g)),
        "avg_pool1d" => |c| c.pooling(|v, g, divisor| v.avg_pool1d(g, divisor)),
        "avg_pool2d" => |c| c.pooling(|v, g, divisor| v.avg_pool2d(g, divisor)),
        "adaptive_avg_pool2d" => adaptive_avg_pool2d,
        _ => return None,
    })
}

impl Call<'_> {
    fn pooling<const D: usize>(&self, f: impl Fn(&nn::Var, PoolGeometry<D>, Divisor) -> nn::Var) -> Result<Option<Results>> {
        let Some((g, divisor)) = self.windows() else { return Ok(None) };
        self.differentiate(&["x"], |v| f(&v[0], g, divisor))
    }

    fn windows<const D: usize>(&self) -> Option<(PoolGeometry<D>, Divisor)> {
        let keys = ["kernel", "stride", "padding", "dilation", "ceil_mode", "count_include_pad", "divisor_override"];
        self.knows(&keys).then_some(())?;
        let kernel = self.extents("kernel", [1; D])?;
        let g = PoolGeometry {
            kernel,
            stride: self.extents("stride", kernel)?,
            padding: self.extents("padding", [0; D])?,
            dilation: self.extents("dilation", [1; D])?,
            ceil_mode: self.case.attr("ceil_mode", false),
        };
        let divisor = match self.case.attr("divisor_override", None) {
            Some(by) => Divisor::Fixed(by),
            None if self.case.attr("count_include_pad", true) => Divisor::Window,
            None => Divisor::Inside,
        };
        Some((g, divisor))
    }
}

fn adaptive_avg_pool2d(c: &Call<'_>) -> Result<Option<Results>> {
    if c.extents("output", [1, 1]) != Some([1, 1]) {
        return Ok(None);
    }
    c.differentiate(&["x"], |v| v[0].global_avg_pool())
}
