//! The class that a row of logits names, and sums of loss and hits that stay on the device.

use super::{Params, SHAPES, WGSL, expect_labels, expect_rows, labels, launch_rows, rows_per_job};
use crate::check::{Bound, Case, integers};
use crate::dtype::DType;
use crate::kernel::{Args, Grid, Kernel};
use crate::tensor::Tensor;
use rayon::prelude::*;

pub(super) static ARGMAX: Kernel = Kernel::new(WGSL, "argmax", argmax_cpu);
pub(super) static ACCUMULATE_METRICS: Kernel = Kernel::new(WGSL, "accumulate_metrics", accumulate_metrics_cpu);

fn argmax_cpu(args: &mut Args<'_>) {
    let c = args.params::<Params>().c as usize;
    let rows = args.output::<u32>(0).par_iter_mut().zip(args.input::<f32>(0).par_chunks_exact(c));
    rows.with_min_len(rows_per_job(c)).for_each(|(y, x)| {
        let first = |(i, m): (usize, f32), (j, &v): (usize, &f32)| if v > m { (j, v) } else { (i, m) };
        *y = x.iter().enumerate().fold((0, -3.4e38), first).0 as u32;
    });
}

fn accumulate_metrics_cpu(args: &mut Args<'_>) {
    let n = args.params::<Params>().n as f32;
    let (predicted, labels, loss) = (args.input::<u32>(0), args.input::<u32>(1), args.input::<f32>(2)[0]);
    let metrics = args.output::<f32>(0);
    metrics[0] += loss * n;
    metrics[1] += predicted.iter().zip(labels).filter(|(p, l)| p == l).count() as f32;
    metrics[2] += n;
}

/// The column of each row's largest element, the first where several are equal; u32 (N). Equivalent of `x.argmax(1)` for finite
/// `x` (a NaN is never the largest).
///
/// # Panics
/// If `x` is not (N, C) with C > 0.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 3], &[1.0f32, 5.0, 5.0, 0.0, -1.0, -1.0]);
/// assert_eq!(ops::argmax(&x).read::<u32>()?, [1, 0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn argmax(x: &Tensor) -> Tensor {
    expect_rows("argmax", x);
    let y = Tensor::empty_of(x.device(), [x.shape().n()], DType::U32);
    launch_rows(&ARGMAX, Params::rows(x.shape()), [x.shape().n(), x.shape().c(), 1], &[x], &[&y]);
    y
}

/// Adds a batch to sums that stay on the device: `metrics[0] += loss * N`, `metrics[1] +=` rows whose [`argmax`] is their label,
/// `metrics[2] += N`; `metrics[3]` is untouched. In place. Equivalent of `total += loss.item() * len(labels)` and
/// `correct += (logits.argmax(1) == labels).sum().item()` without waiting for the device.
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
    expect_rows("accumulate_metrics", logits);
    expect_labels("accumulate_metrics", logits, labels);
    let fits = loss.len() == 1 && metrics.len() == 4 && metrics.dtype() == DType::F32;
    assert!(
        fits,
        "accumulate_metrics: loss must be a scalar and metrics f32 [4] (loss {}, metrics {})",
        loss.shape(),
        metrics.shape()
    );
    let predicted = argmax(logits);
    let n = labels.len();
    let (lanes, group) = match n {
        0..=16_384 if labels.device().prefers_registers() => (1, 64),
        _ => (256, 256),
    };
    let grid = Grid::folded(1).trips(n.div_ceil(lanes as usize) + 8);
    let constants = [("LANES", lanes), ("GROUP", group)];
    ACCUMULATE_METRICS.with(&constants).launch(Params::rows(logits.shape()), &[&predicted, labels, loss], &[metrics], grid);
}

pub(super) fn cases() -> Vec<Case> {
    let case = |&shape: &[usize; 2]| {
        Case::new("argmax", format!("{shape:?}"), Bound::Exact, move |device| {
            // Small integers: most rows have several maxima.
            let x = Tensor::from_slice(device, shape, &integers(shape[0] * shape[1], 5));
            let metrics = Tensor::full(device, [4], 1.0);
            let loss = Tensor::scalar(device, 0.5);
            accumulate_metrics(&loss, &x, &labels(device, shape), &metrics);
            accumulate_metrics(&loss, &x, &labels(device, shape), &metrics);
            vec![argmax(&x), metrics]
        })
    };
    SHAPES.iter().map(case).collect()
}
