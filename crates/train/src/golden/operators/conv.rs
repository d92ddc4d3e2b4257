//! Convolutions.

use super::{Call, Operator, Results};
use crate::error::Result;
use gpu_core::ops::{self, Conv2dGeometry, ConvTranspose2dGeometry};

pub(super) fn operator(op: &str) -> Option<Operator> {
    Some(match op {
        "conv2d" => conv2d,
        "conv_transpose2d" => conv_transpose2d,
        _ => return None,
    })
}

fn conv2d(c: &Call<'_>) -> Result<Option<Results>> {
    let g = Conv2dGeometry {
        stride: c.pair("stride", 1),
        padding: c.pair("padding", 0),
        dilation: c.pair("dilation", 1),
        groups: c.case.attr("groups", 1),
    };
    let (x, w, b, dy) = (c.tensor("x")?, c.tensor("w")?, c.optional("b")?, c.dy()?);
    let y = ops::conv2d(&x, &w, b.as_ref(), g);
    let dx = ops::conv2d_bwd_x(&dy, &w, x.shape(), g);
    let dw = ops::conv2d_bwd_w(&x, &dy, w.shape(), g);
    c.results([("y", y), ("dx", dx), ("dw", dw), ("db", ops::add_bias_bwd_b(&dy))])
}

fn conv_transpose2d(c: &Call<'_>) -> Result<Option<Results>> {
    let g = ConvTranspose2dGeometry {
        stride: c.pair("stride", 1),
        padding: c.pair("padding", 0),
        output_padding: c.pair("output_padding", 0),
        dilation: c.pair("dilation", 1),
        groups: c.case.attr("groups", 1),
    };
    let (x, w, b, dy) = (c.tensor("x")?, c.tensor("w")?, c.optional("b")?, c.dy()?);
    let y = ops::conv_transpose2d(&x, &w, b.as_ref(), g);
    let dx = ops::conv_transpose2d_bwd_x(&dy, &w, x.shape(), g);
    let dw = ops::conv_transpose2d_bwd_w(&x, &dy, w.shape(), g);
    c.results([("y", y), ("dx", dx), ("dw", dw), ("db", ops::add_bias_bwd_b(&dy))])
}
