//! Functions of rows with a given number of invocations a row.

use super::CROSS_ENTROPY;
use super::argmax::ARGMAX;
use super::options::{CROSS_ENTROPY_MEAN, expect_classes, expect_labels, expect_options};
use super::params::Params;
use super::rows::launch_rows_by;
use crate::base::{DType, Shape};
use crate::expect;
use crate::kernel::Grid;
use crate::tensor::Tensor;

/// How a row is shared: (1, 64), (16, 64), (16, 256) or (256, 256).
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// Invocations of a row.
    pub lanes: usize,
    /// Invocations of a workgroup.
    pub group: usize,
}

impl Form {
    #[track_caller]
    fn shared(self, op: &str, x: &Tensor) -> (usize, usize) {
        let Self { lanes, group } = self;
        let exists = matches!((lanes, group), (1, 64) | (16, 64) | (16, 256) | (256, 256));
        assert!(exists, "{op}: no kernel shares a row among {lanes} of {group} invocations (x {})", x.shape());
        (lanes, group)
    }
}

/// The losses of single rows, and the probabilities, as [`cross_entropy`](crate::ops::cross_entropy) computes them.
///
/// # Panics
/// If there is no such form, or the shapes or types do not fit.
#[track_caller]
pub fn cross_entropy(form: Form, logits: &Tensor, labels: &Tensor, smoothing: f32) -> (Tensor, Tensor) {
    const OP: &str = "internals::cross_entropy";
    expect::f32s(OP, &[("logits", logits)]);
    expect_classes(OP, ("logits", logits));
    expect_labels(OP, ("logits", logits), labels);
    expect_options(OP, ("logits", logits), &smoothing.into());
    let (device, p) = (logits.device(), Params { smoothing, ..Params::along(logits.shape(), 1) });
    let (probs, losses) = (Tensor::empty(device, logits.shape()), Tensor::empty(device, p.rows_shape(logits.shape())));
    let inputs = [logits, labels, logits, logits];
    launch_rows_by(form.shared(OP, logits), &CROSS_ENTROPY, p, 4, &inputs, &[&probs, &losses]);
    (losses, probs)
}

/// [`argmax`](crate::ops::argmax).
///
/// # Panics
/// If there is no such form, or `x` is not f32 (N, C, ...) with C > 0.
#[track_caller]
pub fn argmax(form: Form, x: &Tensor) -> Tensor {
    const OP: &str = "internals::argmax";
    expect::f32s(OP, &[("x", x)]);
    expect_classes(OP, ("x", x));
    let p = Params::along(x.shape(), 1);
    let y = Tensor::empty_of(x.device(), p.rows_shape(x.shape()), DType::U32);
    launch_rows_by(form.shared(OP, x), &ARGMAX, p, 1, &[x], &[&y]);
    y
}

/// The mean of all losses, as one row.
///
/// # Panics
/// If there is no such form, or `losses` has no elements or does not hold f32.
#[track_caller]
pub fn mean(form: Form, losses: &Tensor) -> Tensor {
    const OP: &str = "internals::mean";
    expect::f32s(OP, &[("losses", losses)]);
    let n = losses.len();
    assert!(n > 0, "{OP}: the mean of no elements has no value (losses {})", losses.shape());
    let mean = Tensor::empty(losses.device(), Shape::SCALAR);
    let (lanes, group) = form.shared(OP, losses);
    // `n` is the length of the one row here.
    let p = Params { n: n as u32, scale: 1.0 / n as f32, ..Params::along([1, n].into(), 1) };
    let constants = [("LANES", lanes as u32), ("GROUP", group as u32), ("COLUMNS", 0)];
    CROSS_ENTROPY_MEAN.with(&constants).launch(p, &[losses], &[&mean], Grid::folded(1).trips(n.div_ceil(lanes) + 8));
    mean
}
