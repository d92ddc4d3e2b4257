//! Pooling and resampling.

use super::{Call, Operator, Results};
use crate::error::Result;
use gpu_core::ops::Pool2dGeometry;

pub(super) fn operator(op: &str) -> Option<Operator> {
    Some(match op {
        "max_pool2d" => max_pool2d,
        "avg_pool2d" => avg_pool2d,
        "adaptive_avg_pool2d" => adaptive_avg_pool2d,
        _ => return None,
    })
}

fn pool_geometry(c: &Call<'_>) -> Pool2dGeometry {
    let kernel = c.pair("kernel", 1);
    Pool2dGeometry { kernel, stride: c.case.attr("stride", kernel), padding: c.pair("padding", 0) }
}

fn max_pool2d(c: &Call<'_>) -> Result<Option<Results>> {
    if c.pair("dilation", 1) != [1, 1] {
        return Ok(None);
    }
    let g = pool_geometry(c);
    c.differentiate(&["x"], |v| v[0].max_pool2d(g))
}

fn avg_pool2d(c: &Call<'_>) -> Result<Option<Results>> {
    if !c.case.attr("count_include_pad", true) {
        return Ok(None);
    }
    let g = pool_geometry(c);
    c.differentiate(&["x"], |v| v[0].avg_pool2d(g))
}

fn adaptive_avg_pool2d(c: &Call<'_>) -> Result<Option<Results>> {
    if c.pair("output", 1) != [1, 1] {
        return Ok(None);
    }
    c.differentiate(&["x"], |v| v[0].global_avg_pool())
}
