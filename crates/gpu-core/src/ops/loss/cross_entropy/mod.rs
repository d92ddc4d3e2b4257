//! Functions of rows: softmax, cross-entropy, argmax, and the running figures of a training. A row is what lies along one axis.
//!
//! With `p = softmax(logits)`, class weights `w` (1 unless given), label smoothing `s` and a row's label `l`:
//! `loss = -(1 - s) w[l] log p[l] - s/C sum over c of w[c] log p[c]`; the mean is the rows' sum over the sum of their `w[l]`.
//! Every exponential is of `x - max`, so that none overflows.
//!
//! A kernel gives a row to one invocation, to 16 or to 256: see `lanes`.

mod argmax;
pub mod forms;
mod metrics;
mod mirrors;
mod nll;
mod options;
mod overlaps;
mod params;
mod rows;
mod soft;
mod softmax;

pub use argmax::argmax;
pub use metrics::{MetricSums, accumulate_loss, accumulate_metrics};
pub use nll::{nll_loss, nll_loss_bwd};
pub use options::CrossEntropy;
pub use overlaps::{Overlap, accumulate_overlaps};
pub use soft::{soft_cross_entropy, soft_cross_entropy_bwd_target, soft_cross_entropy_bwd_x};
pub use softmax::{log_softmax, log_softmax_bwd_x, softmax, softmax_bwd_x};

use crate::expect;
use crate::kernel::{Grid, Kernel, kernel};
use crate::tensor::Tensor;
use mirrors::{cross_entropy_bwd_cpu, cross_entropy_cpu};
use options::{expect_classes, expect_dloss, expect_labels, expect_options, reduced};
use rows::{HEADER, WGSL, launch_rows};

static CROSS_ENTROPY: Kernel = kernel!(WGSL, "cross_entropy", cross_entropy_cpu);
static CROSS_ENTROPY_BWD: Kernel = kernel!(WGSL, "cross_entropy_bwd", cross_entropy_bwd_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[
    &CROSS_ENTROPY,
    &options::CROSS_ENTROPY_MEAN,
    &options::CROSS_ENTROPY_COUNTS,
    &CROSS_ENTROPY_BWD,
    &nll::NLL_LOSS,
    &nll::NLL_LOSS_BWD,
    &soft::SOFT_CROSS_ENTROPY,
    &soft::SOFT_CROSS_ENTROPY_BWD_X,
    &soft::SOFT_CROSS_ENTROPY_BWD_TARGET,
    &softmax::SOFTMAX,
    &softmax::SOFTMAX_BWD_X,
    &softmax::LOG_SOFTMAX,
    &softmax::LOG_SOFTMAX_BWD_X,
    &argmax::ARGMAX,
    &metrics::ACCUMULATE_METRICS,
    &overlaps::ACCUMULATE_OVERLAPS,
];

/// The cross-entropy of `logits` (N, C, ...) against class indices `labels` (N, ...), u32; also the probabilities of the logits,
/// which [`cross_entropy_bwd`] needs. `options` may be the label smoothing alone. Equivalent of
/// `torch.nn.functional.cross_entropy(logits, labels, weight, ignore_index=..., reduction=..., label_smoothing=...)`.
///
/// A label that is no class (`>= C`) adds nothing to the sum and has a zero gradient; its row still counts in an unweighted mean.
/// The mean over rows that are all ignored is NaN, and their gradient is zero, as in PyTorch.
///
/// # Panics
/// If the shapes or types do not fit, the mean is over no rows, or the smoothing is not in [0, 1].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let logits = Tensor::from_slice(&Device::Cpu, [2, 2], &[0.0f32, 0.0, 5.0, 5.0]);
/// let labels = Tensor::from_slice(&Device::Cpu, [2], &[0u32, 1]);
/// let (loss, probs) = ops::cross_entropy(&logits, &labels, 0.0);
/// assert!((loss.item()? - 2f32.ln()).abs() < 1e-6);
/// assert_eq!(probs.to_vec()?, [0.5; 4]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn cross_entropy(logits: &Tensor, labels: &Tensor, options: impl Into<CrossEntropy>) -> (Tensor, Tensor) {
    const OP: &str = "cross_entropy";
    let options = options.into();
    expect::f32s(OP, &[("logits", logits)]);
    expect_classes(OP, ("logits", logits));
    expect_labels(OP, ("logits", logits), labels);
    expect_options(OP, ("logits", logits), &options);
    let (device, p) = (logits.device(), options.params(logits.shape()));
    let (probs, losses) = (Tensor::empty(device, logits.shape()), Tensor::empty(device, p.rows_shape(logits.shape())));
    let totals = options.totals(labels, p);
    let (weight, divisor) = (options.weight.as_ref().unwrap_or(logits), totals.as_ref().unwrap_or(logits));
    launch_rows(&CROSS_ENTROPY, options.divided(p), 4, &[logits, labels, weight, divisor], &[&probs, &losses]);
    (reduced(losses, options.reduction, options.is_counted()), probs)
}

/// The gradient of [`cross_entropy`] to its logits, from the probabilities that it returned: `(probs - target) * dloss / N`, and as
/// the options ask. `dloss` is a scalar, or has the labels' shape where the loss is not reduced. Equivalent of
/// `loss.backward(dloss)`.
///
/// # Panics
/// If the shapes or types do not fit, or the smoothing is not in [0, 1].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let logits = Tensor::from_slice(&Device::Cpu, [1, 2], &[0.0f32, 0.0]);
/// let labels = Tensor::from_slice(&Device::Cpu, [1], &[0u32]);
/// let (_, probs) = ops::cross_entropy(&logits, &labels, 0.0);
/// let dlogits = ops::cross_entropy_bwd(&probs, &labels, 0.0, &Tensor::scalar(&Device::Cpu, 1.0));
/// assert_eq!(dlogits.to_vec()?, [-0.5, 0.5]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn cross_entropy_bwd(probs: &Tensor, labels: &Tensor, options: impl Into<CrossEntropy>, dloss: &Tensor) -> Tensor {
    const OP: &str = "cross_entropy_bwd";
    let options = options.into();
    expect::f32s(OP, &[("probs", probs)]);
    expect_classes(OP, ("probs", probs));
    expect_labels(OP, ("probs", probs), labels);
    expect_options(OP, ("probs", probs), &options);
    expect_dloss(OP, ("probs", probs), options.reduction, dloss);
    let dx = Tensor::empty(probs.device(), probs.shape());
    let p = options.params(probs.shape());
    let totals = options.totals(labels, p);
    let (weight, divisor) = (options.weight.as_ref().unwrap_or(probs), totals.as_ref().unwrap_or(probs));
    let grid = Grid::linear(dx.len().div_ceil(4), 256);
    CROSS_ENTROPY_BWD.with(HEADER).launch(options.bwd(p), &[probs, labels, weight, divisor, dloss], &[&dx], grid);
    dx
}
