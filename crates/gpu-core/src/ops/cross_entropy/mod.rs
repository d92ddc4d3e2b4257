//! Functions of the rows of an (N, C) matrix: softmax, cross-entropy, argmax, and the running figures of a training.
//!
//! `loss = 1/N sum over n of -(1 - s) log p[n, label[n]] - s/C sum over c of log p[n, c]`, where `p = softmax(logits)` and `s`
//! is the label smoothing. Every exponential is of `x - max`, so that none overflows.
//!
//! A kernel gives a row to one invocation, to 16 or to 256: see [`lanes`].

mod metrics;
mod softmax;
#[cfg(test)]
mod tests;

pub use metrics::{accumulate_metrics, argmax};
pub use softmax::{log_softmax, log_softmax_bwd_x, softmax, softmax_bwd_x};

use crate::check::{self, Bound, Case};
use crate::device::Device;
use crate::dtype::DType;
use crate::kernel::{Args, Grid, Kernel};
use crate::shape::Shape;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};
use rayon::prelude::*;

const WGSL: &str = include_str!("../../../../../shaders/cross_entropy.wgsl");
static CROSS_ENTROPY: Kernel = Kernel::new(WGSL, "cross_entropy", cross_entropy_cpu);
static CROSS_ENTROPY_MEAN: Kernel = Kernel::new(WGSL, "cross_entropy_mean", cross_entropy_mean_cpu);
static CROSS_ENTROPY_BWD: Kernel = Kernel::new(WGSL, "cross_entropy_bwd", cross_entropy_bwd_cpu);
pub(super) const KERNELS: &[&Kernel] = &[
    &CROSS_ENTROPY,
    &CROSS_ENTROPY_MEAN,
    &CROSS_ENTROPY_BWD,
    &softmax::SOFTMAX,
    &softmax::SOFTMAX_BWD_X,
    &softmax::LOG_SOFTMAX,
    &softmax::LOG_SOFTMAX_BWD_X,
    &metrics::ARGMAX,
    &metrics::ACCUMULATE_METRICS,
];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    n: u32,
    c: u32,
    smoothing: f32,
    scale: f32,
}

impl Params {
    fn rows(x: Shape) -> Self {
        Self { n: x.n() as u32, c: x.c() as u32, smoothing: 0.0, scale: 1.0 }
    }
}

/// How many invocations share a row of `c` elements, and how many a workgroup has. A software driver pays for every barrier: there
/// a row is one invocation's own unless its loops would grow too long.
fn lanes(device: &Device, c: usize) -> (usize, usize) {
    match c {
        0..=16 => (1, 64),
        17..=16_384 if device.prefers_registers() => (1, 64),
        17..=256 => (16, 64),
        _ => (256, 256),
    }
}

/// Launches `kernel` over `rows` rows of `c` elements, each walked `passes` times.
#[track_caller]
fn launch_rows(kernel: &'static Kernel, p: Params, [rows, c, passes]: [usize; 3], inputs: &[&Tensor], outputs: &[&Tensor]) {
    let (lanes, group) = lanes(outputs[0].device(), c);
    let grid = Grid::folded(rows.div_ceil(group / lanes)).trips(passes * (c.div_ceil(lanes) + 8));
    kernel.with(&[("LANES", lanes as u32), ("GROUP", group as u32)]).launch(p, inputs, outputs, grid);
}

/// Rows that are worth a job of their own, for rows of `c` elements.
fn rows_per_job(c: usize) -> usize {
    (4096 / c.max(1)).max(1)
}

fn largest_of(x: &[f32]) -> f32 {
    x.iter().fold(-3.4e38, |m, &v| m.max(v))
}

/// Writes `softmax(x)` into `y`; returns the sum of `exp(x - largest)`.
fn softmax_row(x: &[f32], y: &mut [f32], largest: f32) -> f64 {
    let mut total = 0.0;
    for (y, x) in y.iter_mut().zip(x) {
        *y = (x - largest).exp();
        total += f64::from(*y);
    }
    let scale = (1.0 / total) as f32;
    y.iter_mut().for_each(|y| *y *= scale);
    total
}

fn cross_entropy_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, labels, y, losses) = (args.input::<f32>(0), args.input::<u32>(1), args.output::<f32>(0), args.output::<f32>(1));
    let (c, s) = (p.c as usize, f64::from(p.smoothing));
    let rows = y.par_chunks_exact_mut(c).zip(x.par_chunks_exact(c)).zip(labels.par_iter().zip(losses));
    rows.with_min_len(rows_per_job(c)).for_each(|((y, x), (&label, loss))| {
        let largest = largest_of(x);
        let total = softmax_row(x, y, largest);
        let shifted = |v: &f32| f64::from(v - largest);
        let mean = if s == 0.0 { 0.0 } else { x.iter().map(shifted).sum::<f64>() / c as f64 };
        *loss = x.get(label as usize).map_or(0.0, |v| (total.ln() - (1.0 - s) * shifted(v) - s * mean) as f32);
    });
}

fn cross_entropy_mean_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let chunks = args.input::<f32>(0).chunks(p.c as usize);
    for (y, chunk) in args.output::<f32>(0).iter_mut().zip(chunks) {
        *y = chunk.iter().map(|&v| f64::from(v)).sum::<f64>() as f32 * p.scale;
    }
}

fn cross_entropy_bwd_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (probs, labels, scale) = (args.input::<f32>(0), args.input::<u32>(1), args.input::<f32>(2)[0] * p.scale);
    let c = p.c as usize;
    let rest = p.smoothing / p.c as f32;
    let rows = args.output::<f32>(0).par_chunks_exact_mut(c).zip(probs.par_chunks_exact(c)).zip(labels);
    rows.with_min_len(rows_per_job(c)).for_each(|((dx, probs), &label)| {
        if label >= p.c {
            return dx.fill(0.0);
        }
        dx.iter_mut().zip(probs).for_each(|(dx, p)| *dx = (p - rest) * scale);
        let i = label as usize;
        dx[i] = (probs[i] - (rest + (1.0 - p.smoothing))) * scale;
    });
}

/// An (N, C) matrix of f32 with at least one column.
#[track_caller]
fn expect_rows(op: &str, x: &Tensor) {
    assert!(x.shape().rank() == 2 && x.shape().c() > 0, "{op}: x must be (N, C) with C > 0 (x {})", x.shape());
    assert!(x.dtype() == DType::F32, "{op}: x must hold f32, it holds {} (x {})", x.dtype(), x.shape());
}

/// A label for each row.
#[track_caller]
fn expect_labels(op: &str, x: &Tensor, labels: &Tensor) {
    let fits = labels.shape() == Shape::from([x.shape().n()]);
    assert!(fits, "{op}: one label for each of {} rows is needed (x {}, labels {})", x.shape().n(), x.shape(), labels.shape());
    assert!(labels.dtype() == DType::U32, "{op}: labels must hold u32, they hold {}", labels.dtype());
}

#[track_caller]
fn expect_smoothing(op: &str, smoothing: f32) {
    assert!((0.0..=1.0).contains(&smoothing), "{op}: smoothing {smoothing} is not in [0, 1]");
}

/// The mean cross-entropy of `logits` (N, C) against class indices `labels` (N), with label smoothing; also the probabilities
/// (N, C), which [`cross_entropy_bwd`] needs. Equivalent of `F.cross_entropy(logits, labels, label_smoothing=smoothing)`.
///
/// A label that is no class (`>= C`) adds nothing to the sum and has a zero gradient; its row still counts in N.
///
/// # Panics
/// If the shapes or types do not fit, if there is no row, or if `smoothing` is not in [0, 1].
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
pub fn cross_entropy(logits: &Tensor, labels: &Tensor, smoothing: f32) -> (Tensor, Tensor) {
    expect_rows("cross_entropy", logits);
    expect_labels("cross_entropy", logits, labels);
    expect_smoothing("cross_entropy", smoothing);
    let (device, shape) = (logits.device(), logits.shape());
    assert!(shape.n() > 0, "cross_entropy: the mean over no rows has no value (logits {shape})");
    let (probs, losses) = (Tensor::empty(device, shape), Tensor::empty(device, [shape.n()]));
    let p = Params { smoothing, ..Params::rows(shape) };
    launch_rows(&CROSS_ENTROPY, p, [shape.n(), shape.c(), 4], &[logits, labels], &[&probs, &losses]);
    (mean(&losses), probs)
}

/// The mean in stages: a run of 1,024 rows' losses for each invocation, or 16,384 for each workgroup.
#[track_caller]
fn mean(losses: &Tensor) -> Tensor {
    let device = losses.device();
    let most = if device.prefers_registers() { 1024 } else { 16_384 };
    let mut x = losses.clone();
    loop {
        let n = x.len();
        let stages_end = n <= most;
        let y = if stages_end { Tensor::empty(device, Shape::SCALAR) } else { Tensor::empty(device, [n.div_ceil(most)]) };
        let scale = if stages_end { 1.0 / losses.len() as f32 } else { 1.0 };
        let p = Params { n: n as u32, c: n.min(most) as u32, smoothing: 0.0, scale };
        launch_rows(&CROSS_ENTROPY_MEAN, p, [y.len(), n.min(most), 1], &[&x], &[&y]);
        if stages_end {
            return y;
        }
        x = y;
    }
}

/// The gradient of [`cross_entropy`] to its logits, from the probabilities that it returned: `(probs - target) * dloss / N`.
///
/// # Panics
/// If the shapes or types do not fit, or if `smoothing` is not in [0, 1].
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
pub fn cross_entropy_bwd(probs: &Tensor, labels: &Tensor, smoothing: f32, dloss: &Tensor) -> Tensor {
    expect_rows("cross_entropy_bwd", probs);
    expect_labels("cross_entropy_bwd", probs, labels);
    expect_smoothing("cross_entropy_bwd", smoothing);
    assert!(dloss.len() == 1, "cross_entropy_bwd: dloss must be a scalar (dloss {}, probs {})", dloss.shape(), probs.shape());
    let dx = Tensor::empty(probs.device(), probs.shape());
    let p = Params { smoothing, scale: 1.0 / probs.shape().n() as f32, ..Params::rows(probs.shape()) };
    let grid = Grid::linear(dx.len().div_ceil(4), 256).trips(4);
    // The header's constants are unused here; the file does not parse without them.
    CROSS_ENTROPY_BWD.with(&[("LANES", 1), ("GROUP", 64)]).launch(p, &[probs, labels, dloss], &[&dx], grid);
    dx
}

/// Shapes of the table: one lane a row, 16, 256 and folded grids; prime, 1 and long.
const SHAPES: &[[usize; 2]] = &[[1, 1], [5, 10], [7, 16], [67, 17], [13, 257], [3, 20_011], [2051, 2], [70_001, 3]];

fn labels(device: &Device, [n, c]: [usize; 2]) -> Tensor {
    let labels: Vec<u32> = (0..n).map(|i| (i * 7919 % c) as u32).collect();
    Tensor::from_slice(device, [n], &labels)
}

/// Logits in [-8, 8).
fn logits(device: &Device, shape: [usize; 2], seed: u64) -> Tensor {
    let values: Vec<f32> = check::values(shape[0] * shape[1], seed).iter().map(|v| 8.0 * v).collect();
    Tensor::from_slice(device, shape, &values)
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for &shape in SHAPES {
        for smoothing in [0.0, 0.1] {
            cases.push(Case::new(
                "cross_entropy",
                format!("{shape:?}, smoothing {smoothing}"),
                Bound::Relative(2e-5),
                move |device| {
                    let (x, labels) = (logits(device, shape, 1), labels(device, shape));
                    let (loss, probs) = cross_entropy(&x, &labels, smoothing);
                    let dx = cross_entropy_bwd(&probs, &labels, smoothing, &Tensor::scalar(device, 0.5));
                    vec![loss, probs, dx]
                },
            ));
        }
    }
    cases.push(Case::new("cross_entropy", "a label that is no class".to_owned(), Bound::Relative(2e-5), |device| {
        let (x, labels) = (logits(device, [3, 5], 2), Tensor::from_slice(device, [3], &[1, 5, u32::MAX]));
        let (loss, probs) = cross_entropy(&x, &labels, 0.1);
        let dx = cross_entropy_bwd(&probs, &labels, 0.1, &Tensor::scalar(device, 1.0));
        vec![loss, probs, dx]
    }));
    cases.into_iter().chain(softmax::cases()).chain(metrics::cases()).collect()
}
