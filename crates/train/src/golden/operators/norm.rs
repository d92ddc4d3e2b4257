//! Normalisations.

use super::{Call, Operator, Results};
use crate::error::Result;
use gpu_core::ops;

pub(super) fn operator(op: &str) -> Option<Operator> {
    Some(match op {
        "batch_norm" => batch_norm,
        _ => return None,
    })
}

fn batch_norm(c: &Call<'_>) -> Result<Option<Results>> {
    let (momentum, eps) = (c.case.attr("momentum", 0.1), c.case.attr("eps", 1e-5));
    let (x, gamma, beta, dy) = (c.tensor("x")?, c.tensor("gamma")?, c.tensor("beta")?, c.dy()?);
    let (mean, var) = (c.tensor("running_mean")?, c.tensor("running_var")?);
    let (y, (dx, dgamma, dbeta)) = if c.case.attr("training", true) {
        let forward = ops::batch_norm(&x, &gamma, &beta, &mean, &var, momentum, eps);
        let backward = ops::batch_norm_bwd(&x, &dy, &gamma, &forward.mean, &forward.rstd);
        (forward.y, backward)
    } else {
        let y = ops::batch_norm_eval(&x, &gamma, &beta, &mean, &var, eps);
        (y, ops::batch_norm_eval_bwd(&x, &dy, &gamma, &mean, &var, eps))
    };
    let [dx, dgamma, dbeta] = [("dx", dx), ("dgamma", dgamma), ("dbeta", dbeta)];
    c.results([("y", y), ("new_running_mean", mean), ("new_running_var", var), dx, dgamma, dbeta])
}
