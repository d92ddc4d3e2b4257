//! Softmax and losses.

use super::{Call, Operator, Results};
use crate::error::Result;
use gpu_core::ops;

pub(super) fn operator(op: &str) -> Option<Operator> {
    Some(match op {
        "softmax" => softmax,
        "log_softmax" => log_softmax,
        "cross_entropy" => cross_entropy,
        _ => return None,
    })
}

fn softmax(c: &Call<'_>) -> Result<Option<Results>> {
    let y = ops::softmax(&c.tensor("x")?);
    let mut results = vec![("y".to_owned(), y.clone())];
    if !c.case.grads.is_empty() {
        // dx = y * (dy - sum(dy * y))
        let dy = c.dy()?;
        let mean = ops::sum_axes(&ops::mul(&dy, &y), &[1], true);
        results.push(("dx".to_owned(), ops::mul(&y, &ops::sub(&dy, &mean))));
    }
    Ok(Some(results))
}

fn log_softmax(c: &Call<'_>) -> Result<Option<Results>> {
    let x = c.tensor("x")?;
    let mut results = vec![("y".to_owned(), ops::log_softmax(&x))];
    if !c.case.grads.is_empty() {
        // dx = dy - softmax(x) * sum(dy)
        let dy = c.dy()?;
        let total = ops::sum_axes(&dy, &[1], true);
        results.push(("dx".to_owned(), ops::sub(&dy, &ops::mul(&ops::softmax(&x), &total))));
    }
    Ok(Some(results))
}

fn cross_entropy(c: &Call<'_>) -> Result<Option<Results>> {
    if c.case.attr("reduction", "mean".to_owned()) != "mean" {
        return Ok(None);
    }
    let labels = c.file.labels(&c.key("target"), c.device)?;
    let smoothing = c.case.attr("label_smoothing", 0.0);
    c.differentiate(&["x"], |v| v[0].cross_entropy(&labels, smoothing))
}
