//! Functions of one element, and softmax.

use crate::golden::call::{Call, Operator};

pub(super) fn operator(op: &str) -> Option<Operator> {
    Some(match op {
        "relu" => |c| c.differentiate(&["x"], |v| v[0].relu()),
        "leaky_relu" => |c| c.differentiate(&["x"], |v| v[0].leaky_relu(c.case.attr("negative_slope", 0.01))),
        "elu" => |c| c.differentiate(&["x"], |v| v[0].elu(c.case.attr("alpha", 1.0))),
        "sigmoid" => |c| c.differentiate(&["x"], |v| v[0].sigmoid()),
        "tanh" => |c| c.differentiate(&["x"], |v| v[0].tanh()),
        "silu" => |c| c.differentiate(&["x"], |v| v[0].silu()),
        "gelu" => |c| c.differentiate(&["x"], |v| v[0].gelu()),
        "gelu_tanh" => |c| c.differentiate(&["x"], |v| v[0].gelu_tanh()),
        "softplus" => |c| c.differentiate(&["x"], |v| v[0].softplus(c.case.attr("beta", 1.0), c.case.attr("threshold", 20.0))),
        "softmax" => |c| c.differentiate(&["x"], |v| v[0].softmax(axis(c, v[0].shape().rank()))),
        "log_softmax" => |c| c.differentiate(&["x"], |v| v[0].log_softmax(axis(c, v[0].shape().rank()))),
        _ => return None,
    })
}

/// The attribute `axis`, which may count from the end.
fn axis(c: &Call<'_>, rank: usize) -> usize {
    let axis: i64 = c.case.attr("axis", -1);
    if axis < 0 { rank.saturating_sub(axis.unsigned_abs() as usize) } else { axis as usize }
}
