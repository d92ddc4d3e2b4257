//! Batch normalisation: each channel of `x` (N, C, ...) is brought to mean 0 and variance 1, then scaled and shifted.
//!
//! `y = (x - mean) * rstd * gamma + beta`, with `rstd = 1 / sqrt(var + eps)`; in training `mean` and `var` are those of the channel
//! in this batch, in evaluation the running ones.
//!
//! `running = (1 - momentum) * running + momentum * batch`: the biased variance normalises, the unbiased one goes into the running
//! one, as in PyTorch. Statistics are found in two stages (parts of a channel, then the channel), in a fixed order.
//!
//! A ReLU that follows, or a sum and a ReLU, is done where `y` is written: what was only normalised is never stored. The gradient finds
//! again from `x` what a ReLU let through, by the very formula of the forward pass; that of a sum looks at `y`.
//!
//! `x` may hold f16, and what is normalised then does too; statistics, gradients and what is computed in between are f32.
//!
//! [`demean_norm`] takes the mean away and leaves the variance: `y = (x - mean) * gamma + beta`.

mod demean;
mod mirrors;
mod params;
mod rectified;

pub use demean::{demean_norm, demean_norm_bwd, demean_norm_eval, demean_norm_eval_bwd};
pub use rectified::{batch_norm_add_relu_bwd, batch_norm_eval_relu, batch_norm_relu, batch_norm_relu_bwd};

use crate::base::Shape;
use crate::expect;
use crate::kernel::{Grid, Kernel, kernel};
use crate::tensor::Tensor;
use mirrors::{add_bwd_partial_cpu, apply_cpu, bwd_partial_cpu, bwd_sums_cpu, bwd_x_cpu, partial_cpu, stats_cpu, through_cpu};
use params::{Params, Spread, Then};

const WGSL: &str = concat!(wgsl!("halves.wgsl"), wgsl!("batch_norm.wgsl"));
static PARTIAL: Kernel = kernel!(WGSL, "batch_norm_partial", partial_cpu).with_halves(&["X_HALF"]);
static STATS: Kernel = kernel!(WGSL, "batch_norm_stats", stats_cpu);
static APPLY: Kernel =
    kernel!(WGSL, "batch_norm_apply", apply_cpu).with_halves(&["X_HALF", "", "", "", "", "BESIDE_HALF", "Y_HALF"]);
static BWD_PARTIAL: Kernel = kernel!(WGSL, "batch_norm_bwd_partial", bwd_partial_cpu).with_halves(&["X_HALF"]);
static ADD_BWD_PARTIAL: Kernel =
    kernel!(WGSL, "batch_norm_add_bwd_partial", add_bwd_partial_cpu).with_halves(&["X_HALF", "", "", "BESIDE_HALF"]);
static THROUGH: Kernel = kernel!(WGSL, "batch_norm_through", through_cpu).with_halves(&["", "BESIDE_HALF"]);
static BWD_SUMS: Kernel = kernel!(WGSL, "batch_norm_bwd_sums", bwd_sums_cpu);
static BWD_X: Kernel = kernel!(WGSL, "batch_norm_bwd_x", bwd_x_cpu).with_halves(&["X_HALF"]);
pub(in crate::ops) const KERNELS: &[&Kernel] =
    &[&PARTIAL, &STATS, &APPLY, &BWD_PARTIAL, &ADD_BWD_PARTIAL, &THROUGH, &BWD_SUMS, &BWD_X, &demean::STATS];

/// What [`batch_norm`] computes: the normalised tensor, and the statistics that its gradient needs.
#[derive(Debug, Clone)]
pub struct BatchNorm {
    /// The normalised tensor, of the shape of `x`.
    pub y: Tensor,
    /// The batch's mean, (C).
    pub mean: Tensor,
    /// `1 / sqrt(var + eps)` of the batch's biased variance, (C).
    pub rstd: Tensor,
}

/// `x` (N, C, ...), and one element a channel in all others.
#[track_caller]
fn expect_channels(op: &str, x: &Tensor, of_channels: &expect::Named<'_>) {
    let all = [&[("x", x)][..], of_channels].concat();
    expect::f32s_and_halves(op, &all, &["x"]);
    let shape = x.shape();
    assert!(shape.rank() >= 2, "{op}: x needs axes (n, c, ..) ({})", expect::shapes(&all));
    for (name, t) in of_channels {
        let c = shape.c();
        assert!(t.shape().dims() == [c], "{op}: x has {c} channels, {name} {} ({})", t.shape(), expect::shapes(&all));
    }
}

/// The same, and `dy` of the shape of `x`.
#[track_caller]
fn expect_bwd(op: &str, x: &Tensor, dy: &Tensor, of_channels: &expect::Named<'_>) {
    expect_channels(op, x, of_channels);
    expect::f32s_and_halves(op, &[("x", x), ("dy", dy)], &["x"]);
    expect::one_shape(op, &[("x", x), ("dy", dy)]);
}

/// Count, mean and squared deviations of the parts of each channel: (C, splits, 4).
#[track_caller]
fn moments_of_parts(p: Params, x: &Tensor) -> Tensor {
    let partial = Tensor::empty(x.device(), [p.c as usize, p.splits as usize, 4]);
    PARTIAL.with(&p.header(Then::Nothing)).launch(p, &[x], &[&partial], p.grid_of_parts());
    partial
}

/// Normalises, adds `beside` where there is something [`Then`] adds, and rectifies.
#[track_caller]
fn apply(p: Params, x: &Tensor, affine: [&Tensor; 2], mean: &Tensor, spread: &Tensor, then: Then, beside: &Tensor) -> Tensor {
    let y = Tensor::empty_of(x.device(), x.shape(), x.dtype());
    let [gamma, beta] = affine;
    APPLY.with(&p.header(then)).launch(p, &[x, gamma, beta, mean, spread, beside], &[&y], p.grid_of_vectors());
    y
}

/// [`batch_norm`] and what follows it.
#[track_caller]
fn train(p: Params, x: &Tensor, affine: [&Tensor; 2], running: [&Tensor; 2], then: Then, beside: &Tensor) -> BatchNorm {
    let (device, shape) = (x.device(), x.shape());
    if shape.is_empty() {
        let zeros = || Tensor::zeros(device, [shape.c()]);
        return BatchNorm { y: Tensor::empty_of(device, shape, x.dtype()), mean: zeros(), rstd: zeros() };
    }
    let (mean, rstd) = (Tensor::empty(device, [shape.c()]), Tensor::empty(device, [shape.c()]));
    let outputs = [&mean, &rstd, running[0], running[1]];
    STATS.with(&p.header(Then::Nothing)).launch(p, &[&moments_of_parts(p, x)], &outputs, Grid::folded(shape.c()).trips(8));
    BatchNorm { y: apply(p, x, affine, &mean, &rstd, then, beside), mean, rstd }
}

/// A batch has a variance where a channel has more values than one.
#[track_caller]
fn expect_values(op: &str, shape: Shape) {
    assert!(shape.is_empty() || shape.len() > shape.c(), "{op}: x {shape} has one value a channel, training needs more");
}

/// Normalises `x` (N, C, ...) by the statistics of this batch, and moves `running_mean` and `running_var` (C) towards them in
/// place. Equivalent of `torch.nn.functional.batch_norm(.., training=True)`.
///
/// An `x` without elements leaves the running statistics as they are.
///
/// # Panics
/// If `gamma`, `beta` and the running statistics do not have one element a channel, if a channel has only one value (its variance
/// is not defined), or a tensor does not hold f32 (`x`: or f16).
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [4, 1], &[1.0f32, 3.0, 1.0, 3.0]);
/// let (one, zero) = (Tensor::full(&Device::Cpu, [1], 1.0), Tensor::zeros(&Device::Cpu, [1]));
/// let (running_mean, running_var) = (Tensor::zeros(&Device::Cpu, [1]), Tensor::full(&Device::Cpu, [1], 1.0));
/// let bn = ops::batch_norm(&x, &one, &zero, &running_mean, &running_var, 0.1, 0.0);
/// assert_eq!(bn.y.to_vec()?, [-1.0, 1.0, -1.0, 1.0]);
/// assert_eq!(running_mean.to_vec()?, [0.2]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn batch_norm(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    running_mean: &Tensor,
    running_var: &Tensor,
    momentum: f32,
    eps: f32,
) -> BatchNorm {
    let of_channels = [("gamma", gamma), ("beta", beta), ("running_mean", running_mean), ("running_var", running_var)];
    expect_channels("batch_norm", x, &of_channels);
    expect_values("batch_norm", x.shape());
    let p = Params { eps, momentum, ..Params::of(x.shape(), Spread::Rstd) };
    train(p, x, [gamma, beta], [running_mean, running_var], Then::Nothing, x)
}

/// Normalises `x` (N, C, ...) by the running statistics. Equivalent of `torch.nn.functional.batch_norm(.., training=False)`.
///
/// # Panics
/// If `gamma`, `beta` and the running statistics do not have one element a channel, or a tensor does not hold f32 (`x`: or f16).
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 1], &[1.0f32, 3.0]);
/// let (one, zero) = (Tensor::full(&Device::Cpu, [1], 1.0), Tensor::zeros(&Device::Cpu, [1]));
/// let y = ops::batch_norm_eval(&x, &one, &zero, &one, &Tensor::full(&Device::Cpu, [1], 4.0), 0.0);
/// assert_eq!(y.to_vec()?, [0.0, 1.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn batch_norm_eval(x: &Tensor, gamma: &Tensor, beta: &Tensor, running_mean: &Tensor, running_var: &Tensor, eps: f32) -> Tensor {
    let of_channels = [("gamma", gamma), ("beta", beta), ("running_mean", running_mean), ("running_var", running_var)];
    expect_channels("batch_norm_eval", x, &of_channels);
    let p = Params { eps, ..Params::of(x.shape(), Spread::Variance).of_constants() };
    apply(p, x, [gamma, beta], running_mean, running_var, Then::Nothing, x)
}

/// (dX, dgamma, dbeta); through a ReLU where there is a `beta` to find again what went into it.
#[track_caller]
fn bwd(p: Params, x: &Tensor, dy: &Tensor, gamma: &Tensor, beta: Option<&Tensor>, mean: &Tensor, spread: &Tensor) -> Gradients {
    if x.is_empty() {
        return nothing(x);
    }
    let partial = Tensor::empty(x.device(), [p.c as usize, p.splits as usize, 2]);
    // Without a ReLU nothing reads the slot.
    let (then, beta) = beta.map_or((Then::Nothing, gamma), |beta| (Then::Relu, beta));
    BWD_PARTIAL.with(&p.header(then)).launch(p, &[x, dy, gamma, beta, mean, spread], &[&partial], p.grid_of_parts());
    bwd_of_sums(p, x, dy, [gamma, beta], [mean, spread], &partial, then)
}

/// (dX, dgamma, dbeta).
type Gradients = (Tensor, Tensor, Tensor);

/// Those of an `x` without elements.
fn nothing(x: &Tensor) -> Gradients {
    let zeros = || Tensor::zeros(x.device(), [x.shape().c()]);
    (Tensor::empty(x.device(), x.shape()), zeros(), zeros())
}

/// From the sums over the parts of channels.
#[track_caller]
fn bwd_of_sums(
    p: Params,
    x: &Tensor,
    dy: &Tensor,
    [gamma, beta]: [&Tensor; 2],
    [mean, spread]: [&Tensor; 2],
    partial: &Tensor,
    then: Then,
) -> Gradients {
    let (device, c) = (x.device(), x.shape().c());
    let (dgamma, dbeta) = (Tensor::empty(device, [c]), Tensor::empty(device, [c]));
    let coefficients = Tensor::empty(device, [c, 4]);
    let sums = [&dgamma, &dbeta, &coefficients];
    BWD_SUMS.with(&p.header(Then::Nothing)).launch(p, &[gamma, mean, spread, partial], &sums, Grid::folded(c).trips(8));
    let dx = Tensor::empty(device, x.shape());
    BWD_X.with(&p.header(then)).launch(p, &[x, dy, beta, &coefficients], &[&dx], p.grid_of_vectors());
    (dx, dgamma, dbeta)
}

/// (dX, dgamma, dbeta) of [`batch_norm`], from its input and the statistics that it returned.
/// What PyTorch's autograd computes for `batch_norm(.., training=True)`.
///
/// # Panics
/// If `dy` does not have the shape of `x`, `gamma`, `mean` and `rstd` not one element a channel, or a tensor does not hold f32 (`x`: or f16).
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [4, 1], &[1.0f32, 3.0, 1.0, 3.0]);
/// let (one, mean) = (Tensor::full(&Device::Cpu, [1], 1.0), Tensor::full(&Device::Cpu, [1], 2.0));
/// let dy = Tensor::from_slice(&Device::Cpu, [4, 1], &[1.0f32, 0.0, 0.0, 0.0]);
/// let (dx, dgamma, dbeta) = ops::batch_norm_bwd(&x, &dy, &one, &mean, &one);
/// assert_eq!(dx.to_vec()?, [0.5, 0.0, -0.5, 0.0]);
/// assert_eq!((dgamma.item()?, dbeta.item()?), (-1.0, 1.0));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn batch_norm_bwd(x: &Tensor, dy: &Tensor, gamma: &Tensor, mean: &Tensor, rstd: &Tensor) -> (Tensor, Tensor, Tensor) {
    expect_bwd("batch_norm_bwd", x, dy, &[("gamma", gamma), ("mean", mean), ("rstd", rstd)]);
    bwd(Params::of(x.shape(), Spread::Rstd), x, dy, gamma, None, mean, rstd)
}

/// (dX, dgamma, dbeta) of [`batch_norm_eval`]: the running statistics are constants.
/// What PyTorch's autograd computes for `batch_norm(.., training=False)`.
///
/// # Panics
/// If `dy` does not have the shape of `x`, `gamma` and the running statistics not one element a channel, or a tensor does not
/// hold f32 (`x` or f16).
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 1], &[1.0f32, 3.0]);
/// let (one, zero) = (Tensor::full(&Device::Cpu, [1], 1.0), Tensor::zeros(&Device::Cpu, [1]));
/// let (dx, dgamma, dbeta) = ops::batch_norm_eval_bwd(&x, &x, &one, &zero, &Tensor::full(&Device::Cpu, [1], 4.0), 0.0);
/// assert_eq!(dx.to_vec()?, [0.5, 1.5]);
/// assert_eq!((dgamma.item()?, dbeta.item()?), (5.0, 4.0));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn batch_norm_eval_bwd(
    x: &Tensor,
    dy: &Tensor,
    gamma: &Tensor,
    running_mean: &Tensor,
    running_var: &Tensor,
    eps: f32,
) -> (Tensor, Tensor, Tensor) {
    let of_channels = [("gamma", gamma), ("running_mean", running_mean), ("running_var", running_var)];
    expect_bwd("batch_norm_eval_bwd", x, dy, &of_channels);
    let p = Params { eps, ..Params::of(x.shape(), Spread::Variance).of_constants() };
    bwd(p, x, dy, gamma, None, running_mean, running_var)
}
