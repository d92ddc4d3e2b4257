//! Losses.

use crate::error::Result;
use crate::golden::call::{Call, Operator, Results};
use gpu_core::Tensor;
use gpu_core::ops::{CrossEntropy, Reduction};
use nn::Var;

pub(super) fn operator(op: &str) -> Option<Operator> {
    Some(match op {
        "cross_entropy" => cross_entropy,
        "mse_loss" => |c| pointwise(c, |x, target, reduction| x.mse_loss(target, reduction)),
        "l1_loss" => |c| pointwise(c, |x, target, reduction| x.l1_loss(target, reduction)),
        "bce_with_logits" => |c| pointwise(c, |x, target, reduction| x.bce_with_logits(target, None, None, reduction)),
        _ => return None,
    })
}

/// The attribute `reduction`; none if it is not known.
fn reduction(c: &Call<'_>) -> Option<Reduction> {
    match c.case.attr("reduction", "mean".to_owned()).as_str() {
        "mean" => Some(Reduction::Mean),
        "sum" => Some(Reduction::Sum),
        "none" => Some(Reduction::None),
        _ => None,
    }
}

fn cross_entropy(c: &Call<'_>) -> Result<Option<Results>> {
    let Some(reduction) = reduction(c) else { return Ok(None) };
    let labels = c.file.labels(&c.key("target"))?;
    let labels = Tensor::from_slice(c.device, [labels.len()], &labels);
    let options = CrossEntropy { smoothing: c.case.attr("label_smoothing", 0.0), reduction, ..CrossEntropy::default() };
    c.differentiate(&["x"], |v| v[0].cross_entropy(&labels, &options))
}

fn pointwise(c: &Call<'_>, loss: fn(&Var, &Var, Reduction) -> Var) -> Result<Option<Results>> {
    let Some(reduction) = reduction(c) else { return Ok(None) };
    let target = Var::constant(&c.tensor("target")?);
    c.differentiate(&["x"], |v| loss(&v[0], &target, reduction))
}
