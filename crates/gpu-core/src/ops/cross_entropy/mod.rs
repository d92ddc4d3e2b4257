//! Functions of rows: softmax, cross-entropy, argmax, and the running figures of a training. A row is what lies along one axis.
//!
//! With `p = softmax(logits)`, class weights `w` (1 unless given), label smoothing `s` and a row's label `l`:
//! `loss = -(1 - s) w[l] log p[l] - s/C sum over c of w[c] log p[c]`; the mean is the rows' sum over the sum of their `w[l]`.
//! Every exponential is of `x - max`, so that none overflows.
//!
//! A kernel gives a row to one invocation, to 16 or to 256: see [`lanes`].

mod metrics;
mod mirror;
mod nll;
mod options;
mod soft;
mod softmax;
#[cfg(test)]
mod tests;

pub use metrics::{accumulate_metrics, argmax};
pub use nll::{nll_loss, nll_loss_bwd};
pub use options::CrossEntropy;
pub use soft::{soft_cross_entropy, soft_cross_entropy_bwd_target, soft_cross_entropy_bwd_x};
pub use softmax::{log_softmax, log_softmax_bwd_x, softmax, softmax_bwd_x};
#[cfg(test)]
pub(super) use tests::misuses;

use super::reduction::Reduction;
use crate::check::{self, Bench, Bound, Case};
use crate::device::Device;
use crate::expect;
use crate::kernel::{Grid, Kernel, kernel};
use crate::shape::Shape;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};
use mirror::{cross_entropy_bwd_cpu, cross_entropy_counts_cpu, cross_entropy_cpu, cross_entropy_mean_cpu};
use options::{expect_classes, expect_dloss, expect_labels, expect_options, reduced};

const WGSL: &str = wgsl!("cross_entropy.wgsl");
static CROSS_ENTROPY: Kernel = kernel!(WGSL, "cross_entropy", cross_entropy_cpu);
static CROSS_ENTROPY_MEAN: Kernel = kernel!(WGSL, "cross_entropy_mean", cross_entropy_mean_cpu);
static CROSS_ENTROPY_COUNTS: Kernel = kernel!(WGSL, "cross_entropy_counts", cross_entropy_counts_cpu);
static CROSS_ENTROPY_BWD: Kernel = kernel!(WGSL, "cross_entropy_bwd", cross_entropy_bwd_cpu);
pub(super) const KERNELS: &[&Kernel] = &[
    &CROSS_ENTROPY,
    &CROSS_ENTROPY_MEAN,
    &CROSS_ENTROPY_COUNTS,
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
    &metrics::ARGMAX,
    &metrics::ACCUMULATE_METRICS,
];

/// The flags of [`Params`]: classes have weights; the losses are divided by the first total; each row has a loss and a `dloss`.
const WEIGHTED: u32 = 1;
const DIVIDED: u32 = 2;
const EACH: u32 = 4;

/// Where the sum of the classes' weights lies among the totals: the next place that a view may begin at.
const SECOND_TOTAL: usize = 64;

/// The constants of kernels that give an element to an invocation; the file does not parse without them.
const HEADER: &[(&str, u32)] = &[("LANES", 1), ("GROUP", 64), ("COLUMNS", 0)];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    n: u32,
    c: u32,
    inner: u32,
    flags: u32,
    ignored: u32,
    smoothing: f32,
    scale: f32,
}

impl Params {
    /// The rows along `axis` of a tensor of shape `x`.
    fn along(x: Shape, axis: usize) -> Self {
        let (outer, inner) = (x.dims()[..axis].iter().product::<usize>(), x.inner(axis + 1));
        let (n, c, inner) = ((outer * inner) as u32, x.dim(axis) as u32, inner as u32);
        Self { n, c, inner, flags: 0, ignored: u32::MAX, smoothing: 0.0, scale: 1.0 }
    }

    /// The shape of one number for each row of `x` (N, C, ...).
    fn rows_shape(&self, x: Shape) -> Shape {
        let mut dims = x.dims().to_vec();
        dims.remove(1);
        Shape::new(&dims)
    }
}

/// How many invocations share a row of `c` elements, and how many a workgroup has. A software driver pays for every barrier: there
/// a row is one invocation's own unless its loops would grow too long. So it is on hardware where rows lie side by side in columns,
/// of which there are many, unless they are long.
fn lanes(device: &Device, c: usize, inner: usize) -> (usize, usize) {
    match c {
        0..=16 => (1, 64),
        17..=16_384 if device.prefers_registers() => (1, 64),
        17..=256 if inner > 1 => (1, 64),
        17..=256 => (16, 64),
        257..=4096 if inner > 1 => (16, 256),
        _ => (256, 256),
    }
}

/// Launches `kernel` over the rows of `p`, each walked `passes` times.
#[track_caller]
fn launch_rows(kernel: &'static Kernel, p: Params, passes: usize, inputs: &[&Tensor], outputs: &[&Tensor]) {
    let (rows, c) = (p.n as usize, p.c as usize);
    let (lanes, group) = lanes(outputs[0].device(), c, p.inner as usize);
    let grid = Grid::folded(rows.div_ceil(group / lanes)).trips(passes * (c.div_ceil(lanes) + 8));
    let constants = [("LANES", lanes as u32), ("GROUP", group as u32), ("COLUMNS", u32::from(p.inner > 1))];
    kernel.with(&constants).launch(p, inputs, outputs, grid);
}

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

/// Shapes of the table: one lane a row, 16, 256 and folded grids; prime, 1 and long.
const SHAPES: &[[usize; 2]] = &[[1, 1], [5, 10], [7, 16], [67, 17], [13, 257], [3, 20_011], [2051, 2], [70_001, 3]];

/// A label for each row of `x` (N, C, ...).
fn labels(device: &Device, x: impl Into<Shape>) -> Tensor {
    let x = x.into();
    let p = Params::along(x, 1);
    let labels: Vec<u32> = (0..p.n).map(|i| i.wrapping_mul(7919) % p.c).collect();
    Tensor::from_slice(device, p.rows_shape(x), &labels)
}

/// Logits in [-8, 8).
fn logits(device: &Device, shape: impl Into<Shape>, seed: u64) -> Tensor {
    let shape = shape.into();
    let values: Vec<f32> = check::input_values(device, shape.len(), seed).iter().map(|v| 8.0 * v).collect();
    Tensor::from_slice(device, shape, &values)
}

/// Weights from 0.1 on.
fn class_weights(device: &Device, c: usize) -> Tensor {
    let weights: Vec<f32> = check::input_values(device, c, 9).iter().map(|v| v + 1.1).collect();
    Tensor::from_slice(device, [c], &weights)
}

pub(super) fn cases() -> Vec<Case> {
    let case = |shape: Shape, options: fn(&Device, usize) -> CrossEntropy, what: String| {
        Case::new("cross_entropy", what, Bound::Relative(2e-5), move |device| {
            let (x, labels, options) = (logits(device, shape, 1), labels(device, shape), options(device, shape.c()));
            let (loss, probs) = cross_entropy(&x, &labels, &options);
            let dx = cross_entropy_bwd(&probs, &labels, &options, &check::tensor(device, loss.shape(), 5));
            vec![loss, probs, dx]
        })
    };
    let mut cases = Vec::new();
    for &shape in SHAPES {
        cases.push(case(shape.into(), |_, _| 0.0.into(), format!("{shape:?}")));
        cases.push(case(shape.into(), |_, _| 0.1.into(), format!("{shape:?}, smoothing 0.1")));
    }
    let weighted: fn(&Device, usize) -> CrossEntropy =
        |device, c| CrossEntropy { weight: Some(class_weights(device, c)), smoothing: 0.1, ..Default::default() };
    let ignoring: fn(&Device, usize) -> CrossEntropy = |_, _| CrossEntropy { ignore_index: Some(1), ..Default::default() };
    let all: fn(&Device, usize) -> CrossEntropy = |device, c| {
        let weight = Some(class_weights(device, c));
        CrossEntropy { smoothing: 0.2, weight, ignore_index: Some(0), reduction: Reduction::None }
    };
    let summed: fn(&Device, usize) -> CrossEntropy = |_, _| CrossEntropy { reduction: Reduction::Sum, ..Default::default() };
    for (name, options) in [("weighted", weighted), ("one class ignored", ignoring), ("every option", all), ("summed", summed)] {
        for shape in [&[67, 17][..], &[5, 1031], &[3, 5, 7, 2], &[2, 40, 33], &[2, 300, 11]] {
            cases.push(case(Shape::new(shape), options, format!("{shape:?}, {name}")));
        }
    }
    cases.push(case([17_001, 2].into(), ignoring, "17001 rows, one class ignored".to_owned()));
    cases.push(Case::new("cross_entropy", "a label that is no class".to_owned(), Bound::Relative(2e-5), |device| {
        let (x, labels) = (logits(device, [3, 5], 2), Tensor::from_slice(device, [3], &[1, 5, u32::MAX]));
        let (loss, probs) = cross_entropy(&x, &labels, 0.1);
        let dx = cross_entropy_bwd(&probs, &labels, 0.1, &Tensor::scalar(device, 1.0));
        vec![loss, probs, dx]
    }));
    cases.into_iter().chain(softmax::cases()).chain(nll::cases()).chain(soft::cases()).chain(metrics::cases()).collect()
}

pub(super) fn benches() -> Vec<Bench> {
    const SHAPE: [usize; 2] = [1024, 1000];
    // Logits, a tensor of their shape, labels, and the upstream gradient.
    type Run = fn(&Tensor, &Tensor, &Tensor, &Tensor) -> Tensor;
    let functions: [(&str, Run); 15] = [
        ("cross_entropy", |x, _, labels, _| cross_entropy(x, labels, 0.1).0),
        ("cross_entropy, one class ignored", |x, _, labels, _| {
            cross_entropy(x, labels, CrossEntropy { ignore_index: Some(0), ..Default::default() }).0
        }),
        ("cross_entropy_bwd", |x, _, labels, dloss| cross_entropy_bwd(x, labels, 0.1, dloss)),
        ("nll_loss", |x, _, labels, _| nll_loss(x, labels, 0.0)),
        ("nll_loss_bwd", |x, _, labels, dloss| nll_loss_bwd(x.shape(), labels, 0.0, dloss)),
        ("soft_cross_entropy", |x, target, _, _| soft_cross_entropy(x, target, 0.0).0),
        ("soft_cross_entropy_bwd_x", |x, target, _, dloss| soft_cross_entropy_bwd_x(x, target, 0.0, dloss)),
        ("soft_cross_entropy_bwd_target", |x, _, _, dloss| soft_cross_entropy_bwd_target(x, 0.0, dloss)),
        ("softmax", |x, _, _, _| softmax(x, 1)),
        ("softmax, axis 0", |x, _, _, _| softmax(x, 0)),
        ("softmax_bwd_x", |y, dy, _, _| softmax_bwd_x(y, dy, 1)),
        ("log_softmax", |x, _, _, _| log_softmax(x, 1)),
        ("log_softmax_bwd_x", |y, dy, _, _| log_softmax_bwd_x(y, dy, 1)),
        ("argmax", |x, _, _, _| argmax(x)),
        ("accumulate_metrics", |x, sums, labels, loss| {
            let sums = sums.view(0, [4]);
            accumulate_metrics(loss, x, labels, &sums);
            sums
        }),
    ];
    let bench = |(name, f): (&'static str, Run)| {
        Bench::new(name, "1024x1000", 0, move |device| {
            let (x, other) = (logits(device, SHAPE, 1), check::tensor(device, SHAPE, 2));
            let (labels, dloss) = (labels(device, SHAPE), Tensor::scalar(device, 1.0));
            move || vec![f(&x, &other, &labels, &dloss)]
        })
    };
    functions.into_iter().map(bench).collect()
}
