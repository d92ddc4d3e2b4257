//! The norm of rows in a given form, with its gradients.

pub use super::Form;
use super::group::{expect_channels, params};
use super::{Params, RowStats, bwd_w, bwd_x, forward};
use crate::expect;
use crate::tensor::Tensor;

/// What is normalised of a tensor (N, C, ...), and how.
#[derive(Debug, Clone, Copy)]
pub struct Rows {
    /// Rows of a sample; they divide its channels.
    pub groups: usize,
    /// Whether the mean is taken away: all norms but that by the root mean square do.
    pub centered: bool,
    /// What is added to the variance.
    pub eps: f32,
}

#[track_caller]
fn checked(op: &str, form: Form, p: Params, x: &Tensor) -> Form {
    let Form { lanes, splits, whole } = form;
    let exists = matches!(lanes, 1 | 16 | 64 | 256) && (1..=4096).contains(&splits);
    let is_whole = splits == 1 && (p.len.is_multiple_of(4) || !x.device().work().is_by_words());
    assert!(exists && (is_whole || !whole), "{op}: no kernel normalises by {form:?} (x {})", x.shape());
    form
}

/// y, offset, rstd, dx, dgamma and dbeta of `x` (N, C, ...) with an upstream gradient `dy`, in `form`, or where there is none in
/// the form that the device takes.
///
/// # Panics
/// If there is no such form, or the shapes or types do not fit.
#[track_caller]
pub fn row_norm(form: Option<Form>, rows: Rows, [x, dy]: [&Tensor; 2], [gamma, beta]: [Option<&Tensor>; 2]) -> [Tensor; 6] {
    const OP: &str = "internals::row_norm";
    expect::f32s(OP, &[("x", x), ("dy", dy)]);
    expect::one_shape(OP, &[("x", x), ("dy", dy)]);
    let p = Params { eps: rows.eps, centered: rows.centered.into(), ..params(OP, x, rows.groups) };
    expect_channels(OP, x, &[("gamma", gamma), ("beta", beta)]);
    let form = match form {
        Some(form) => checked(OP, form, p, x),
        None => Form::choose(x.device().work(), p),
    };
    let stats = RowStats::new(x, [p.rows as usize].into());
    let y = forward(form, p, x, gamma, beta, &stats);
    let dx = bwd_x(form, p, x, dy, gamma, &stats);
    let (dgamma, dbeta) = bwd_w(p, x, dy, &stats, [p.c as usize].into());
    [y, stats.offset, stats.rstd, dx, dgamma, dbeta]
}
