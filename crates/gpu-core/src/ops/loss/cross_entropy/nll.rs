//! The negative log-likelihood: what remains of cross-entropy when the logarithms of the probabilities are given.

use super::mirror::{nll_loss_bwd_cpu, nll_loss_cpu};
use super::{
    CrossEntropy, HEADER, Params, Reduction, WGSL, expect_classes, expect_dloss, expect_labels, expect_options, logits, reduced,
};
use crate::check::{self, Bound, Case};
use crate::expect;
use crate::kernel::{Grid, Kernel, kernel};
use crate::shape::Shape;
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

pub(in crate::ops) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (shape, weighted, ignore_index, reduction) in [
        (&[1usize, 1][..], false, None, Reduction::Mean),
        (&[67, 17], true, Some(2), Reduction::Mean),
        (&[67, 17], false, Some(2), Reduction::Mean),
        (&[67, 17], true, None, Reduction::Sum),
        (&[3, 5, 7, 2], true, Some(0), Reduction::None),
        (&[70_001, 3], false, None, Reduction::Mean),
    ] {
        let what = format!("{shape:?}, {}weighted, ignored {ignore_index:?}, {reduction:?}", if weighted { "" } else { "un" });
        cases.push(Case::new("nll_loss", what, Bound::Relative(2e-5), move |device| {
            let (x, labels) = (logits(device, shape, 1), super::labels(device, shape));
            let weight = weighted.then(|| super::class_weights(device, shape[1]));
            let options = CrossEntropy { weight, ignore_index, reduction, ..Default::default() };
            let loss = nll_loss(&x, &labels, &options);
            let dloss = check::tensor(device, loss.shape(), 3);
            vec![nll_loss_bwd(x.shape(), &labels, &options, &dloss), loss]
        }));
    }
    cases
}
