//! Pooling and resampling.

use crate::error::Result;
use crate::golden::call::{Call, Operator, Results};
use gpu_core::ops::{Divisor, Interpolation, PoolGeometry, Resize, Upsample2dGeometry};

pub(super) fn operator(op: &str) -> Option<Operator> {
    Some(match op {
        "max_pool1d" => |c| c.pooling(|v, g, _| v.max_pool1d(g)),
        "max_pool2d" => |c| c.pooling(|v, g, _| v.max_pool2d(g)),
        "avg_pool1d" => |c| c.pooling(|v, g, divisor| v.avg_pool1d(g, divisor)),
        "avg_pool2d" => |c| c.pooling(|v, g, divisor| v.avg_pool2d(g, divisor)),
        "adaptive_avg_pool2d" => |c| c.dividing(|v, output| v.adaptive_avg_pool2d(output)),
        "adaptive_max_pool2d" => |c| c.dividing(|v, output| v.adaptive_max_pool2d(output)),
        "upsample2d" => upsample2d,
        "pixel_shuffle" => |c| c.shuffling("upscale_factor", |v, r| v.pixel_shuffle(r)),
        "pixel_unshuffle" => |c| c.shuffling("downscale_factor", |v, r| v.pixel_unshuffle(r)),
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

    fn dividing(&self, f: impl Fn(&nn::Var, [usize; 2]) -> nn::Var) -> Result<Option<Results>> {
        let x = self.file.array(&self.key("x"))?.0;
        let Some(output) = self.parts(x) else { return Ok(None) };
        self.differentiate(&["x"], |v| f(&v[0], output))
    }

    /// The `output`; an axis that is null keeps its extent.
    fn parts(&self, x: &[usize]) -> Option<[usize; 2]> {
        self.knows(&["output"]).then_some(())?;
        let output = self.case.attrs.get("output")?;
        let each: [Option<usize>; 2] = match output.as_u64() {
            Some(both) => [Some(both as usize); 2],
            None => serde_json::from_value(output.clone()).ok()?,
        };
        Some([each[0].unwrap_or(*x.get(2)?), each[1].unwrap_or(*x.get(3)?)])
    }

    fn resampling(&self) -> Option<Upsample2dGeometry> {
        self.knows(&["scale", "size", "mode", "align_corners"]).then_some(())?;
        let mode = match self.case.attr("mode", "nearest".to_owned()).as_str() {
            "nearest" => Interpolation::Nearest,
            "bilinear" => Interpolation::Bilinear { align_corners: self.case.attr("align_corners", false) },
            _ => return None,
        };
        let size = match self.case.attrs.get("scale").filter(|scale| !scale.is_null()) {
            Some(scale) => {
                Resize::By(serde_json::from_value(scale.clone()).or_else(|_| scale.as_f64().map(|s| [s; 2]).ok_or(())).ok()?)
            }
            None => Resize::To(self.case.attrs.get("size").and_then(|_| self.extents("size", [0, 0]))?),
        };
        Some(Upsample2dGeometry { size, mode })
    }

    fn shuffling(&self, key: &str, f: impl Fn(&nn::Var, usize) -> nn::Var) -> Result<Option<Results>> {
        let factor: usize = self.case.attr(key, self.case.attr("factor", 0));
        if factor == 0 || !self.knows(&[key, "factor"]) {
            return Ok(None);
        }
        self.differentiate(&["x"], |v| f(&v[0], factor))
    }
}

fn upsample2d(c: &Call<'_>) -> Result<Option<Results>> {
    let Some(g) = c.resampling() else { return Ok(None) };
    c.differentiate(&["x"], |v| v[0].upsample2d(g))
}
