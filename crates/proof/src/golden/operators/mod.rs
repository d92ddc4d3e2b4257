//! The table from an operator's name in a golden file to what computes it here.

mod activation;
mod conv;
mod dense;
mod loss;
mod norm;
mod pool;

use super::call::{Call, Operator};
use super::tolerance::Computed;
use crate::error::Result;
use crate::poisoned;

fn operator(op: &str) -> Option<Operator> {
    let families = [activation::operator, conv::operator, norm::operator, pool::operator, dense::operator, loss::operator];
    families.iter().find_map(|family| family(op))
}

/// Runs a case with poisoned outputs; none if its operator is not known.
pub(super) fn run(call: &Call<'_>) -> Result<Option<Vec<Computed>>> {
    let Some(operator) = operator(&call.case.op) else { return Ok(None) };
    let results = operator(&Call { device: &poisoned(call.device), ..*call })?;
    results.map(|results| call.named(results)).transpose()
}
