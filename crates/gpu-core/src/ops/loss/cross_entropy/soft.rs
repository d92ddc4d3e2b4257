//! Cross-entropy against probabilities instead of classes.
//!
//! With `t' = w ((1 - s) t + s / C)`: the loss of a row is `-sum over c of t'[c] log p[c]`, and its gradient `p sum(t') - t'`.

use super::mirrors::{Weights, for_rows, nothing, softmax_row};
use super::options::{CrossEntropy, expect_classes, expect_dloss, expect_options, reduced};
use super::params::{EACH, Params};
use super::rows::{WGSL, launch_rows};
use crate::expect;
use crate::kernel::{Args, Kernel, kernel};
use crate::mirror::Real;
use crate::ops::loss::reduction::Reduction;
use crate::tensor::Tensor;

pub(super) static SOFT_CROSS_ENTROPY: Kernel = kernel!(WGSL, "soft_cross_entropy", soft_cross_entropy_cpu);
pub(super) static SOFT_CROSS_ENTROPY_BWD_X: Kernel = kernel!(WGSL, "soft_cross_entropy_bwd_x", soft_cross_entropy_bwd_x_cpu);
pub(super) static SOFT_CROSS_ENTROPY_BWD_TARGET: Kernel =
    kernel!(WGSL, "soft_cross_entropy_bwd_target", soft_cross_entropy_bwd_target_cpu);

/// The smoothed target of class `c`, times its weight.
fn goal<T: Real>(p: &Params, weights: Weights<'_, T>, target: &[T], c: usize) -> f64 {
    let s = f64::from(p.smoothing);
    weights.of(c) * ((1.0 - s) * Into::<f64>::into(target[c]) + s / target.len() as f64)
}

fn soft_cross_entropy_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, target): (&[T], &[T]) = (args.input(0), args.input(1));
    let weights = Weights::<T>::new(&p, args, 2);
    let (y, losses): (&mut [T], &mut [T]) = (args.output(0), args.output(1));
    for_rows(&p, [x, target], y, losses, |_, [x, target], y, loss| {
        let (largest, total) = softmax_row(x, y);
        let log_total = total.ln();
        let minus_log = |v: T| log_total - Into::<f64>::into(v - largest);
        *loss = T::of(x.iter().enumerate().map(|(c, &v)| goal(&p, weights, target, c) * minus_log(v)).sum::<f64>());
    });
}

fn soft_cross_entropy_bwd_x_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (probs, target, dy): (&[T], &[T], &[T]) = (args.input(0), args.input(1), args.input(3));
    let weights = Weights::<T>::new(&p, args, 2);
    for_rows(&p, [probs, target], args.output(0), &mut nothing(&p), |row, [probs, target], dx, ()| {
        let all: f64 = (0..target.len()).map(|c| goal(&p, weights, target, c)).sum();
        let scale = T::of(p.scale) * dy[if p.flags & EACH != 0 { row } else { 0 }];
        for (c, dx) in dx.iter_mut().enumerate() {
            *dx = (probs[c] * T::of(all) - T::of(goal(&p, weights, target, c))) * scale;
        }
    });
}

fn soft_cross_entropy_bwd_target_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, dy): (&[T], &[T]) = (args.input(0), args.input(2));
    let weights = Weights::<T>::new(&p, args, 1);
    for_rows(&p, [x], args.output(0), &mut nothing(&p), |row, [x], dt, ()| {
        let (largest, total) = softmax_row(x, dt);
        let log_total = total.ln();
        let scale = T::of(p.scale) * dy[if p.flags & EACH != 0 { row } else { 0 }];
        for (c, (dt, &v)) in dt.iter_mut().zip(x).enumerate() {
            let weight = (1.0 - f64::from(p.smoothing)) * weights.of(c);
            *dt = T::of(weight * (log_total - Into::<f64>::into(v - largest))) * scale;
        }
    });
}

#[track_caller]
fn expect(op: &str, tensors: &expect::Named<'_>, options: &CrossEntropy) {
    expect::f32s(op, tensors);
    expect::one_shape(op, tensors);
    expect_classes(op, tensors[0]);
    expect_options(op, tensors[0], options);
    let shapes = expect::shapes(tensors);
    assert!(options.ignore_index.is_none(), "{op}: there is no label to ignore among probabilities ({shapes})");
}

fn params(x: &Tensor, options: &CrossEntropy) -> Params {
    let p = options.params(x.shape());
    Params { scale: if options.reduction == Reduction::Mean { 1.0 / p.n as f32 } else { 1.0 }, ..p }
}

/// The cross-entropy of `logits` (N, C, ...) against probabilities `target` of the same shape, and the probabilities of the logits,
/// which [`soft_cross_entropy_bwd_x`] needs. A mean is over the rows, whatever the weights. Equivalent of
/// `torch.nn.functional.cross_entropy(logits, target)` with a floating-point target.
///
/// # Panics
/// If the shapes or types do not fit, `ignore_index` is given, or the mean is over no rows.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let logits = Tensor::zeros(&Device::Cpu, [2, 2]);
/// let target = Tensor::from_slice(&Device::Cpu, [2, 2], &[0.3f32, 0.7, 1.0, 0.0]);
/// let (loss, probs) = ops::soft_cross_entropy(&logits, &target, 0.0);
/// assert!((loss.item()? - 2f32.ln()).abs() < 1e-6);
/// assert_eq!(probs.to_vec()?, [0.5; 4]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn soft_cross_entropy(logits: &Tensor, target: &Tensor, options: impl Into<CrossEntropy>) -> (Tensor, Tensor) {
    let options = options.into();
    expect("soft_cross_entropy", &[("logits", logits), ("target", target)], &options);
    let (device, p) = (logits.device(), options.params(logits.shape()));
    let (probs, losses) = (Tensor::empty(device, logits.shape()), Tensor::empty(device, p.rows_shape(logits.shape())));
    let weight = options.weight.as_ref().unwrap_or(logits);
    launch_rows(&SOFT_CROSS_ENTROPY, p, 4, &[logits, target, weight], &[&probs, &losses]);
    (reduced(losses, options.reduction, false), probs)
}

/// The gradient of [`soft_cross_entropy`] to its logits, from the probabilities that it returned. Equivalent of `loss.backward()`.
///
/// # Panics
/// If the shapes or types do not fit.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let probs = Tensor::full(&Device::Cpu, [1, 2], 0.5);
/// let target = Tensor::from_slice(&Device::Cpu, [1, 2], &[0.25f32, 0.75]);
/// let dx = ops::soft_cross_entropy_bwd_x(&probs, &target, 0.0, &Tensor::scalar(&Device::Cpu, 1.0));
/// assert_eq!(dx.to_vec()?, [0.25, -0.25]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn soft_cross_entropy_bwd_x(probs: &Tensor, target: &Tensor, options: impl Into<CrossEntropy>, dloss: &Tensor) -> Tensor {
    let options = options.into();
    expect("soft_cross_entropy_bwd_x", &[("probs", probs), ("target", target)], &options);
    expect_dloss("soft_cross_entropy_bwd_x", ("probs", probs), options.reduction, dloss);
    let dx = Tensor::empty(probs.device(), probs.shape());
    let weight = options.weight.as_ref().unwrap_or(probs);
    launch_rows(&SOFT_CROSS_ENTROPY_BWD_X, params(probs, &options), 2, &[probs, target, weight, dloss], &[&dx]);
    dx
}

/// The gradient of [`soft_cross_entropy`] to its target, from the logits: `-w log p`. Equivalent of `loss.backward()`.
///
/// # Panics
/// If the shapes or types do not fit.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let dtarget = ops::soft_cross_entropy_bwd_target(&Tensor::zeros(&Device::Cpu, [1, 2]), 0.0, &Tensor::scalar(&Device::Cpu, 1.0));
/// assert!(dtarget.to_vec()?.iter().all(|v| (v - 2f32.ln()).abs() < 1e-6));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn soft_cross_entropy_bwd_target(logits: &Tensor, options: impl Into<CrossEntropy>, dloss: &Tensor) -> Tensor {
    let options = options.into();
    expect("soft_cross_entropy_bwd_target", &[("logits", logits)], &options);
    expect_dloss("soft_cross_entropy_bwd_target", ("logits", logits), options.reduction, dloss);
    let dtarget = Tensor::empty(logits.device(), logits.shape());
    let weight = options.weight.as_ref().unwrap_or(logits);
    launch_rows(&SOFT_CROSS_ENTROPY_BWD_TARGET, params(logits, &options), 3, &[logits, weight, dloss], &[&dtarget]);
    dtarget
}
