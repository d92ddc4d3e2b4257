//! The class that a row of logits names, and sums of loss and hits that stay on the device.

use super::mirrors::{LOWEST, rows_per_job};
use super::options::{expect_classes, expect_labels};
use super::params::Params;
use super::rows::launch_rows;
use crate::base::DType;
use crate::expect;
use crate::kernel::{Args, Grid, Kernel, kernel};
use crate::mirror::Real;
use crate::tensor::Tensor;
use rayon::prelude::*;

const WGSL: &str = concat!(wgsl!("rows.wgsl"), wgsl!("metrics.wgsl"));
pub(super) static ARGMAX: Kernel = kernel!(WGSL, "argmax", argmax_cpu);
pub(super) static ACCUMULATE_METRICS: Kernel = kernel!(WGSL, "accumulate_metrics", accumulate_metrics_cpu);

fn argmax_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (c, inner) = (p.c as usize, p.inner as usize);
    let (x, y): (&[T], &mut [u32]) = (args.input(0), args.output(0));
    let first = |row: &[T]| {
        let larger = |(i, m): (usize, T), (j, &v): (usize, &T)| if v > m { (j, v) } else { (i, m) };
        row.iter().enumerate().fold((0, T::of(LOWEST)), larger).0 as u32
    };
    y.par_iter_mut().enumerate().with_min_len(rows_per_job(c)).for_each(|(row, y)| {
        *y = if inner == 1 {
            first(&x[row * c..][..c])
        } else {
            first(&(0..c).map(|class| x[(row / inner * c + class) * inner + row % inner]).collect::<Vec<_>>())
        };
    });
}

fn accumulate_metrics_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let images = T::of(p.n / p.inner);
    let (predicted, labels, loss): (&[u32], &[u32], T) = (args.input(0), args.input(1), args.input(2)[0]);
    let metrics: &mut [T] = args.output(0);
    metrics[0] += loss * images;
    metrics[1] += T::of(predicted.iter().zip(labels).filter(|(p, l)| p == l).count() as u32) / T::of(p.inner);
    metrics[2] += images;
}

/// The class with the largest element in each row of `x` (N, C, ...), the first where several are equal; u32 (N, ...). Equivalent
/// of `x.argmax(1)` for finite `x` (a NaN is never the largest).
/// Equivalent of `torch.argmax(x, 1)`.
///
/// # Panics
/// If `x` is not (N, C, ...) with C > 0, or does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 3], &[1.0f32, 5.0, 5.0, 0.0, -1.0, -1.0]);
/// assert_eq!(ops::argmax(&x).read::<u32>()?, [1, 0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn argmax(x: &Tensor) -> Tensor {
    expect::f32s("argmax", &[("x", x)]);
    expect_classes("argmax", ("x", x));
    let p = Params::along(x.shape(), 1);
    let y = Tensor::empty_of(x.device(), p.rows_shape(x.shape()), DType::U32);
    launch_rows(&ARGMAX, p, 1, &[x], &[&y]);
    y
}

/// Adds a batch to sums that stay on the device: `metrics[0] += loss * N`, `metrics[1] +=` rows whose [`argmax`] is their label,
/// `metrics[2] += N`; `metrics[3]` is untouched. In place. Where an image has many labels (logits (N, C, H, W)), its rows count as
/// one together: what is added to `metrics[1]` is the part of them that is right. Equivalent of
/// `total += loss.item() * len(labels)` and `correct += (logits.argmax(1) == labels).sum().item()` without waiting for the device.
/// PyTorch code sums `loss.item()` and `(logits.argmax(1) == labels).sum()` instead, and waits for both.
///
/// Counts are exact up to 2^24 rows between two resets.
///
/// # Panics
/// If `loss` is not a scalar, `metrics` not f32 (4), or the shapes do not fit.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let logits = Tensor::from_slice(&Device::Cpu, [2, 2], &[0.0f32, 1.0, 0.0, 1.0]);
/// let labels = Tensor::from_slice(&Device::Cpu, [2], &[1u32, 0]);
/// let metrics = Tensor::zeros(&Device::Cpu, [4]);
/// ops::accumulate_metrics(&Tensor::scalar(&Device::Cpu, 0.5), &logits, &labels, &metrics);
/// assert_eq!(metrics.to_vec()?, [1.0, 1.0, 2.0, 0.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn accumulate_metrics(loss: &Tensor, logits: &Tensor, labels: &Tensor, metrics: &Tensor) {
    const OP: &str = "accumulate_metrics";
    let named = [("logits", logits), ("loss", loss), ("metrics", metrics)];
    expect::f32s(OP, &named);
    expect_classes(OP, ("logits", logits));
    expect_labels(OP, ("logits", logits), labels);
    let fits = loss.len() == 1 && metrics.len() == 4;
    assert!(fits, "{OP}: loss must be a scalar and metrics have 4 elements ({})", expect::shapes(&named));
    let p = Params::along(logits.shape(), 1);
    if p.n == 0 {
        return;
    }
    let predicted = argmax(logits);
    let n = labels.len();
    let (lanes, group) = match n {
        0..=16_384 if labels.device().work().is_by_registers() => (1, 64),
        _ => (256, 256),
    };
    let grid = Grid::folded(1).trips(n.div_ceil(lanes as usize) + 8);
    let constants = [("LANES", lanes), ("GROUP", group), ("COLUMNS", 0)];
    ACCUMULATE_METRICS.with(&constants).launch(p, &[&predicted, labels, loss], &[metrics], grid);
}
