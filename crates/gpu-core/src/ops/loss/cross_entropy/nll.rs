//! The negative log-likelihood: what remains of cross-entropy when the logarithms of the probabilities are given.

use super::mirrors::{nll_loss_bwd_cpu, nll_loss_cpu};
use super::options::{CrossEntropy, expect_classes, expect_dloss, expect_labels, expect_options, reduced};
use super::params::Params;
use super::rows::{HEADER, WGSL};
use crate::base::Shape;
use crate::expect;
use crate::kernel::{Grid, Kernel, kernel};
use crate::tensor::Tensor;

pub(super) static NLL_LOSS: Kernel = kernel!(WGSL, "nll_loss", nll_loss_cpu);
pub(super) static NLL_LOSS_BWD: Kernel = kernel!(WGSL, "nll_loss_bwd", nll_loss_bwd_cpu);

#[track_caller]
fn expect_unsmoothed(op: &str, options: &CrossEntropy, shape: Shape) {
    assert!(options.smoothing == 0.0, "{op}: there is no smoothing here, it is {} (x {shape})", options.smoothing);
}

/// Minus the log-probability of the label in each row of `x` (N, C, ...), reduced as [`cross_entropy`](super::cross_entropy) does.
/// Equivalent of `torch.nn.functional.nll_loss(x, labels, weight, ignore_index=..., reduction=...)`.
///
/// # Panics
/// If the shapes or types do not fit, the options ask for smoothing, or the mean is over no rows.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::CrossEntropy};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 2], &[-1.0f32, -2.0, -3.0, -4.0]);
/// let labels = Tensor::from_slice(&Device::Cpu, [2], &[0u32, 1]);
/// assert_eq!(ops::nll_loss(&x, &labels, CrossEntropy::default()).item()?, 2.5);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn nll_loss(x: &Tensor, labels: &Tensor, options: impl Into<CrossEntropy>) -> Tensor {
    let options = options.into();
    expect::f32s("nll_loss", &[("x", x)]);
    expect_classes("nll_loss", ("x", x));
    expect_labels("nll_loss", ("x", x), labels);
    expect_options("nll_loss", ("x", x), &options);
    expect_unsmoothed("nll_loss", &options, x.shape());
    let p = options.params(x.shape());
    let losses = Tensor::empty(x.device(), p.rows_shape(x.shape()));
    let totals = options.totals(labels, p);
    let (weight, divisor) = (options.weight.as_ref().unwrap_or(x), totals.as_ref().unwrap_or(x));
    let grid = Grid::linear(losses.len(), 256);
    NLL_LOSS.with(HEADER).launch(options.divided(p), &[x, labels, weight, divisor], &[&losses], grid);
    reduced(losses, options.reduction, options.is_counted())
}

/// The gradient of [`nll_loss`] to `x`, which has the shape `x`: minus the weight at the label, 0 elsewhere. Equivalent of
/// `loss.backward()`.
///
/// # Panics
/// If the shapes or types do not fit, or the options ask for smoothing.
///
/// ```
/// # use gpu_core::{Device, Shape, Tensor, ops, ops::CrossEntropy};
/// let labels = Tensor::from_slice(&Device::Cpu, [2], &[0u32, 1]);
/// let dx = ops::nll_loss_bwd(Shape::from([2, 2]), &labels, CrossEntropy::default(), &Tensor::scalar(&Device::Cpu, 1.0));
/// assert_eq!(dx.to_vec()?, [-0.5, 0.0, 0.0, -0.5]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn nll_loss_bwd(x: Shape, labels: &Tensor, options: impl Into<CrossEntropy>, dloss: &Tensor) -> Tensor {
    let options = options.into();
    let dx = Tensor::empty(labels.device(), x);
    expect_classes("nll_loss_bwd", ("x", &dx));
    expect_labels("nll_loss_bwd", ("x", &dx), labels);
    expect_options("nll_loss_bwd", ("x", &dx), &options);
    expect_unsmoothed("nll_loss_bwd", &options, x);
    expect_dloss("nll_loss_bwd", ("x", &dx), options.reduction, dloss);
    let p: Params = options.params(x);
    let totals = options.totals(labels, p);
    let (weight, divisor) = (options.weight.as_ref().unwrap_or(dloss), totals.as_ref().unwrap_or(dloss));
    let grid = Grid::linear(x.len().div_ceil(4), 256);
    NLL_LOSS_BWD.with(HEADER).launch(options.bwd(p), &[labels, weight, divisor, dloss], &[&dx], grid);
    dx
}
