//! Batch normalisation of the mean alone: `y = (x - mean) * gamma + beta`, and `dx = gamma * (dy - mean of dy)`.
//!
//! Without a division by a deviation the gradient is exact at any batch, one value a channel included.

use super::mirrors::demean_norm_stats_cpu;
use super::{Params, Spread, Then, WGSL, apply, bwd, expect_bwd, expect_channels, moments_of_parts};
use crate::kernel::{Grid, Kernel, kernel};
use crate::tensor::Tensor;

pub(super) static STATS: Kernel = kernel!(WGSL, "demean_norm_stats", demean_norm_stats_cpu);

/// Takes each channel's mean over this batch away from `x` (N, C, ...), then scales and shifts; `running_mean` (C) moves towards
/// it in place. Returns y and the mean, (C), which the gradient needs. Equivalent of
/// `gamma * (x - x.mean((0, 2, 3), keepdim=True)) + beta`.
/// PyTorch has no such norm: it is the mean-only batch normalisation of Salimans and Kingma, 2016.
///
/// An `x` without elements leaves the running mean as it is.
///
/// # Panics
/// If `gamma`, `beta` and the running mean do not have one element a channel, or a tensor does not hold f32 (`x`: or f16).
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 1], &[1.0f32, 5.0]);
/// let (two, one) = (Tensor::full(&Device::Cpu, [1], 2.0), Tensor::full(&Device::Cpu, [1], 1.0));
/// let running_mean = Tensor::zeros(&Device::Cpu, [1]);
/// let (y, mean) = ops::demean_norm(&x, &two, &one, &running_mean, 0.5);
/// assert_eq!(y.to_vec()?, [-3.0, 5.0]);
/// assert_eq!((mean.item()?, running_mean.item()?), (3.0, 1.5));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn demean_norm(x: &Tensor, gamma: &Tensor, beta: &Tensor, running_mean: &Tensor, momentum: f32) -> (Tensor, Tensor) {
    expect_channels("demean_norm", x, &[("gamma", gamma), ("beta", beta), ("running_mean", running_mean)]);
    let (device, shape) = (x.device(), x.shape());
    if shape.is_empty() {
        return (Tensor::empty_of(device, shape, x.dtype()), Tensor::zeros(device, [shape.c()]));
    }
    let p = Params { momentum, ..Params::of(shape, Spread::One) };
    let mean = Tensor::empty(device, [shape.c()]);
    STATS.with(&p.header(Then::Nothing)).launch(
        p,
        &[&moments_of_parts(p, x)],
        &[&mean, running_mean],
        Grid::folded(shape.c()).trips(8),
    );
    // The mean stands in the slot of a spread that is not read.
    (apply(p, x, [gamma, beta], &mean, &mean, Then::Nothing, x), mean)
}

/// The same with the running mean. Equivalent of `gamma * (x - running_mean.view(1, -1, 1, 1)) + beta`.
/// PyTorch has no such norm: it is the mean-only batch normalisation of Salimans and Kingma, 2016.
///
/// # Panics
/// If `gamma`, `beta` and the running mean do not have one element a channel, or a tensor does not hold f32 (`x`: or f16).
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 1], &[1.0f32, 5.0]);
/// let two = Tensor::full(&Device::Cpu, [1], 2.0);
/// assert_eq!(ops::demean_norm_eval(&x, &two, &two, &two).to_vec()?, [0.0, 8.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn demean_norm_eval(x: &Tensor, gamma: &Tensor, beta: &Tensor, running_mean: &Tensor) -> Tensor {
    expect_channels("demean_norm_eval", x, &[("gamma", gamma), ("beta", beta), ("running_mean", running_mean)]);
    let p = Params::of(x.shape(), Spread::One).of_constants();
    apply(p, x, [gamma, beta], running_mean, running_mean, Then::Nothing, x)
}

/// (dX, dgamma, dbeta) of [`demean_norm`], from its input and the mean that it returned.
///
/// # Panics
/// If `dy` does not have the shape of `x`, `gamma` and `mean` not one element a channel, or a tensor does not hold f32 (`x`: or f16).
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 1], &[1.0f32, 5.0]);
/// let dy = Tensor::from_slice(&Device::Cpu, [2, 1], &[1.0f32, 0.0]);
/// let (two, mean) = (Tensor::full(&Device::Cpu, [1], 2.0), Tensor::full(&Device::Cpu, [1], 3.0));
/// let (dx, dgamma, dbeta) = ops::demean_norm_bwd(&x, &dy, &two, &mean);
/// assert_eq!(dx.to_vec()?, [1.0, -1.0]);
/// assert_eq!((dgamma.item()?, dbeta.item()?), (-2.0, 1.0));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn demean_norm_bwd(x: &Tensor, dy: &Tensor, gamma: &Tensor, mean: &Tensor) -> (Tensor, Tensor, Tensor) {
    expect_bwd("demean_norm_bwd", x, dy, &[("gamma", gamma), ("mean", mean)]);
    bwd(Params::of(x.shape(), Spread::One), x, dy, gamma, None, mean, mean)
}

/// (dX, dgamma, dbeta) of [`demean_norm_eval`]: the running mean is a constant, so that dX is `gamma * dy`.
///
/// # Panics
/// As [`demean_norm_bwd`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 1], &[1.0f32, 5.0]);
/// let two = Tensor::full(&Device::Cpu, [1], 2.0);
/// let (dx, dgamma, dbeta) = ops::demean_norm_eval_bwd(&x, &x, &two, &two);
/// assert_eq!(dx.to_vec()?, [2.0, 10.0]);
/// assert_eq!((dgamma.item()?, dbeta.item()?), (14.0, 6.0));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn demean_norm_eval_bwd(x: &Tensor, dy: &Tensor, gamma: &Tensor, running_mean: &Tensor) -> (Tensor, Tensor, Tensor) {
    expect_bwd("demean_norm_eval_bwd", x, dy, &[("gamma", gamma), ("running_mean", running_mean)]);
    bwd(Params::of(x.shape(), Spread::One).of_constants(), x, dy, gamma, None, running_mean, running_mean)
}
