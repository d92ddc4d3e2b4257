//! Normalisations.

use crate::error::Result;
use crate::golden::call::{Call, Operator, Results};
use gpu_core::Shape;

pub(super) fn operator(op: &str) -> Option<Operator> {
    Some(match op {
        "batch_norm" => batch_norm,
        "group_norm" => group_norm,
        "layer_norm" => layer_norm,
        _ => return None,
    })
}

const ROLES: [&str; 3] = ["x", "gamma", "beta"];

fn eps(c: &Call<'_>) -> f32 {
    c.case.attr("eps", 1e-5)
}

fn batch_norm(c: &Call<'_>) -> Result<Option<Results>> {
    let (momentum, eps) = (c.case.attr("momentum", 0.1), eps(c));
    let (mean, var) = (c.tensor("running_mean")?, c.tensor("running_var")?);
    let results = c.differentiate(&ROLES, |v| match c.case.attr("training", true) {
        true => v[0].batch_norm(&v[1], &v[2], &mean, &var, momentum, eps),
        false => v[0].batch_norm_eval(&v[1], &v[2], &mean, &var, eps),
    })?;
    let running = [("new_running_mean".to_owned(), mean), ("new_running_var".to_owned(), var)];
    Ok(results.map(|results| results.into_iter().chain(running).collect()))
}

fn layer_norm(c: &Call<'_>) -> Result<Option<Results>> {
    let last: Vec<usize> = c.case.attr("normalized_shape", Vec::new());
    c.differentiate(&ROLES, |v| v[0].layer_norm(Shape::new(&last), Some(&v[1]), Some(&v[2]), eps(c)))
}

fn group_norm(c: &Call<'_>) -> Result<Option<Results>> {
    let groups = c.case.attr("num_groups", 1);
    c.differentiate(&ROLES, |v| v[0].group_norm(groups, Some(&v[1]), Some(&v[2]), eps(c)))
}
