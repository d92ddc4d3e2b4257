//! What a user may ask of cross-entropy, and what follows from it.

use super::mirrors::{cross_entropy_counts_cpu, cross_entropy_mean_cpu};
use super::params::{DIVIDED, EACH, Params, SECOND_TOTAL, WEIGHTED};
use super::rows::{HEADER, WGSL, lanes};
use crate::base::{DType, Shape};
use crate::expect;
use crate::kernel::{Grid, Kernel, kernel};
use crate::ops::loss::reduction::Reduction;
use crate::tensor::Tensor;

pub(super) static CROSS_ENTROPY_MEAN: Kernel = kernel!(WGSL, "cross_entropy_mean", cross_entropy_mean_cpu);
pub(super) static CROSS_ENTROPY_COUNTS: Kernel = kernel!(WGSL, "cross_entropy_counts", cross_entropy_counts_cpu);

/// The options of [`cross_entropy`](super::cross_entropy), [`nll_loss`](super::nll_loss) and
/// [`soft_cross_entropy`](super::soft_cross_entropy). A number alone is the label smoothing.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::CrossEntropy};
/// let logits = Tensor::zeros(&Device::Cpu, [2, 4]);
/// let labels = Tensor::from_slice(&Device::Cpu, [2], &[1u32, 3]);
/// let options = CrossEntropy { ignore_index: Some(3), ..CrossEntropy::default() };
/// let (loss, _) = ops::cross_entropy(&logits, &labels, &options);
/// assert!((loss.item()? - 4f32.ln()).abs() < 1e-6);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct CrossEntropy {
    /// The part of the target that is spread over all classes: PyTorch's `label_smoothing`.
    pub smoothing: f32,
    /// A weight for each class, f32 (C): PyTorch's `weight`.
    pub weight: Option<Tensor>,
    /// The label whose rows do not count: PyTorch's `ignore_index`.
    pub ignore_index: Option<u32>,
    /// Mean, sum or neither. A mean is over the rows' weights.
    pub reduction: Reduction,
}

impl From<f32> for CrossEntropy {
    fn from(smoothing: f32) -> Self {
        Self { smoothing, ..Self::default() }
    }
}

impl From<&CrossEntropy> for CrossEntropy {
    fn from(options: &CrossEntropy) -> Self {
        options.clone()
    }
}

impl CrossEntropy {
    /// For the rows of `x` (N, C, ...), nothing divided or scaled yet.
    pub(super) fn params(&self, x: Shape) -> Params {
        let flag = |on: bool, flag: u32| if on { flag } else { 0 };
        let flags = flag(self.weight.is_some(), WEIGHTED) | flag(self.reduction == Reduction::None, EACH);
        Params { flags, smoothing: self.smoothing, ignored: self.ignore_index.unwrap_or(u32::MAX), ..Params::along(x, 1) }
    }

    /// Whether the rows must be counted on the device for the mean.
    pub(super) fn is_counted(&self) -> bool {
        self.reduction == Reduction::Mean && (self.weight.is_some() || self.ignore_index.is_some())
    }

    /// With what is divided on the device.
    pub(super) fn divided(&self, p: Params) -> Params {
        Params { flags: p.flags | if self.is_counted() { DIVIDED } else { 0 }, ..p }
    }

    /// For the derivative: a mean over all rows is a scale.
    pub(super) fn bwd(&self, p: Params) -> Params {
        let over_all = self.reduction == Reduction::Mean && !self.is_counted();
        Params { scale: if over_all { 1.0 / p.n as f32 } else { 1.0 }, ..self.divided(p) }
    }

    /// What the rows count together, and the sum of the classes' weights, as far as they are needed.
    #[track_caller]
    pub(super) fn totals(&self, labels: &Tensor, p: Params) -> Option<Tensor> {
        let weight = self.weight.as_ref().filter(|_| self.smoothing != 0.0);
        if !self.is_counted() && weight.is_none() {
            return None;
        }
        let totals = Tensor::empty(labels.device(), [SECOND_TOTAL + 1]);
        if self.is_counted() {
            let counts = Tensor::empty(labels.device(), labels.shape());
            let weights = self.weight.as_ref().unwrap_or(labels);
            CROSS_ENTROPY_COUNTS.with(HEADER).launch(p, &[labels, weights], &[&counts], Grid::linear(labels.len(), 256));
            summed(&counts, 1.0, totals.view(0, Shape::SCALAR));
        }
        if let Some(weight) = weight {
            summed(weight, 1.0, totals.view(SECOND_TOTAL, Shape::SCALAR));
        }
        Some(totals)
    }
}

/// The sum in stages, into `last`: a run of 1,024 elements for each invocation, or 16,384 for each workgroup.
#[track_caller]
pub(super) fn summed(x: &Tensor, scale: f32, last: Tensor) -> Tensor {
    let device = x.device();
    let most = if device.work().is_by_registers() { 1024 } else { 16_384 };
    let mut x = x.clone();
    loop {
        let n = x.len();
        let stages_end = n <= most;
        let y = if stages_end { last.clone() } else { Tensor::empty(device, [n.div_ceil(most)]) };
        let p = Params { n: n as u32, scale: if stages_end { scale } else { 1.0 }, ..Params::along([1, n.min(most)].into(), 1) };
        launch_sums(p, &x, &y);
        if stages_end {
            return y;
        }
        x = y;
    }
}

/// One stage: a row for each element of `y`.
#[track_caller]
fn launch_sums(p: Params, x: &Tensor, y: &Tensor) {
    let (lanes, group) = lanes(x.device().work(), p.c as usize, 1);
    let grid = Grid::folded(y.len().div_ceil(group / lanes)).trips((p.c as usize).div_ceil(lanes) + 8);
    let constants = [("LANES", lanes as u32), ("GROUP", group as u32), ("COLUMNS", 0)];
    CROSS_ENTROPY_MEAN.with(&constants).launch(p, &[x], &[y], grid);
}

/// The rows' losses, reduced; a mean that was divided already is a sum.
#[track_caller]
pub(super) fn reduced(losses: Tensor, reduction: Reduction, is_divided: bool) -> Tensor {
    let rows = losses.len();
    let scale = match reduction {
        Reduction::None => return losses,
        Reduction::Sum if rows == 0 => return Tensor::zeros(losses.device(), Shape::SCALAR),
        Reduction::Mean if !is_divided => 1.0 / rows as f32,
        _ => 1.0,
    };
    let loss = Tensor::empty(losses.device(), Shape::SCALAR);
    summed(&losses, scale, loss)
}

/// (N, C, ...) with at least one class.
#[track_caller]
pub(super) fn expect_classes(op: &str, (name, x): (&str, &Tensor)) {
    let fits = x.shape().rank() >= 2 && x.shape().c() > 0;
    assert!(fits, "{op}: {name} must be (N, C, ...) with C > 0 ({name} {})", x.shape());
}

/// A label for each row.
#[track_caller]
pub(super) fn expect_labels(op: &str, (name, x): (&str, &Tensor), labels: &Tensor) {
    let (rows, shapes) = (Params::along(x.shape(), 1).n, expect::shapes(&[(name, x), ("labels", labels)]));
    let fits = labels.shape() == Params::along(x.shape(), 1).rows_shape(x.shape());
    assert!(fits, "{op}: one label for each of {rows} rows is needed ({shapes})");
    assert!(labels.dtype() == DType::U32, "{op}: labels must hold u32, they hold {} ({shapes})", labels.dtype());
    expect::one_device(op, &[(name, x), ("labels", labels)]);
}

#[track_caller]
pub(super) fn expect_options(op: &str, (name, x): (&str, &Tensor), options: &CrossEntropy) {
    let (smoothing, rows) = (options.smoothing, Params::along(x.shape(), 1).n);
    let has_value = rows > 0 || options.reduction != Reduction::Mean;
    assert!(has_value, "{op}: the mean over no rows has no value ({name} {})", x.shape());
    assert!((0.0..=1.0).contains(&smoothing), "{op}: smoothing {smoothing} is not in [0, 1] ({name} {})", x.shape());
    if let Some(weight) = &options.weight {
        expect::f32s(op, &[(name, x), ("weight", weight)]);
        let fits = weight.shape() == Shape::from([x.shape().c()]);
        assert!(fits, "{op}: weight must have a number for each class ({name} {}, weight {})", x.shape(), weight.shape());
    }
}

/// A scalar, or a number for each row.
#[track_caller]
pub(super) fn expect_dloss(op: &str, (name, x): (&str, &Tensor), reduction: Reduction, dloss: &Tensor) {
    let named = [(name, x), ("dloss", dloss)];
    expect::f32s(op, &named);
    let (fits, wanted) = match reduction {
        Reduction::None => (dloss.shape() == Params::along(x.shape(), 1).rows_shape(x.shape()), "have a number for each row"),
        _ => (dloss.len() == 1, "be a scalar"),
    };
    assert!(fits, "{op}: dloss must {wanted} ({})", expect::shapes(&named));
}
