//! Batch normalisation with a ReLU, or with a sum and a ReLU, in the same kernels.
//!
//! `y = max(bn(x), 0)` or `y = max(bn(x) + beside, 0)`

use super::{
    ADD_BWD_PARTIAL, BatchNorm, Params, Spread, THROUGH, Then, apply, bwd, bwd_of_sums, expect_bwd, expect_channels, expect_values,
    nothing, train,
};
use crate::expect;
use crate::tensor::Tensor;

/// What is added, of the shape of `x`; nothing reads what stands in the place of nothing.
#[track_caller]
fn then<'a>(op: &str, x: &'a Tensor, beside: Option<&'a Tensor>) -> (Then, &'a Tensor) {
    let Some(beside) = beside else { return (Then::Relu, x) };
    let both = [("x", x), ("beside", beside)];
    expect::floats(op, &both);
    expect::one_shape(op, &both);
    (Then::AddRelu, beside)
}

/// [`batch_norm`](super::batch_norm) of `x` (N, C, ...), plus `beside` (of the same shape) where it is given, with a ReLU after it.
/// Equivalent of `torch.relu(torch.nn.functional.batch_norm(.., training=True) + beside)`.
///
/// # Panics
/// As [`batch_norm`](super::batch_norm), and if `beside` does not have the shape of `x`.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [4, 1], &[1.0f32, 3.0, 1.0, 3.0]);
/// let (one, zero) = (Tensor::full(&Device::Cpu, [1], 1.0), Tensor::zeros(&Device::Cpu, [1]));
/// let (mean, var) = (Tensor::zeros(&Device::Cpu, [1]), Tensor::full(&Device::Cpu, [1], 1.0));
/// let bn = ops::batch_norm_relu(&x, None, &one, &zero, &mean, &var, 0.1, 0.0);
/// assert_eq!(bn.y.to_vec()?, [0.0, 1.0, 0.0, 1.0]);
/// let bn = ops::batch_norm_relu(&x, Some(&x), &one, &zero, &mean, &var, 0.1, 0.0);
/// assert_eq!(bn.y.to_vec()?, [0.0, 4.0, 0.0, 4.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
#[allow(clippy::too_many_arguments)]
pub fn batch_norm_relu(
    x: &Tensor,
    beside: Option<&Tensor>,
    gamma: &Tensor,
    beta: &Tensor,
    running_mean: &Tensor,
    running_var: &Tensor,
    momentum: f32,
    eps: f32,
) -> BatchNorm {
    let of_channels = [("gamma", gamma), ("beta", beta), ("running_mean", running_mean), ("running_var", running_var)];
    expect_channels("batch_norm_relu", x, &of_channels);
    expect_values("batch_norm_relu", x.shape());
    let (then, beside) = then("batch_norm_relu", x, beside);
    let p = Params { eps, momentum, ..Params::of(x.shape(), Spread::Rstd) };
    train(p, x, [gamma, beta], [running_mean, running_var], then, beside)
}

/// [`batch_norm_eval`](super::batch_norm_eval) of `x` (N, C, ...), plus `beside` (of the same shape) where it is given, with a ReLU
/// after it. Equivalent of `torch.relu(torch.nn.functional.batch_norm(.., training=False) + beside)`.
///
/// # Panics
/// As [`batch_norm_eval`](super::batch_norm_eval), and if `beside` does not have the shape of `x`.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 1], &[-1.0f32, 5.0]);
/// let (one, zero) = (Tensor::full(&Device::Cpu, [1], 1.0), Tensor::zeros(&Device::Cpu, [1]));
/// let y = ops::batch_norm_eval_relu(&x, None, &one, &zero, &one, &Tensor::full(&Device::Cpu, [1], 4.0), 0.0);
/// assert_eq!(y.to_vec()?, [0.0, 2.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn batch_norm_eval_relu(
    x: &Tensor,
    beside: Option<&Tensor>,
    gamma: &Tensor,
    beta: &Tensor,
    running_mean: &Tensor,
    running_var: &Tensor,
    eps: f32,
) -> Tensor {
    let of_channels = [("gamma", gamma), ("beta", beta), ("running_mean", running_mean), ("running_var", running_var)];
    expect_channels("batch_norm_eval_relu", x, &of_channels);
    let (then, beside) = then("batch_norm_eval_relu", x, beside);
    let p = Params { eps, ..Params::of(x.shape(), Spread::Variance).of_constants() };
    apply(p, x, [gamma, beta], running_mean, running_var, then, beside)
}

/// (dX, dgamma, dbeta) of [`batch_norm_relu`] without a sum, from its input and the statistics that it returned.
/// What PyTorch's autograd computes for `torch.relu(batch_norm(.., training=True))`.
///
/// # Panics
/// If `dy` does not have the shape of `x`, the others not one element a channel, or a tensor does not hold f32 (`x`: or f16).
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [4, 1], &[1.0f32, 3.0, 1.0, 3.0]);
/// let (one, zero) = (Tensor::full(&Device::Cpu, [1], 1.0), Tensor::zeros(&Device::Cpu, [1]));
/// let dy = Tensor::from_slice(&Device::Cpu, [4, 1], &[1.0f32, 1.0, 0.0, 0.0]);
/// let (dx, dgamma, dbeta) = ops::batch_norm_relu_bwd(&x, &dy, &one, &zero, &Tensor::full(&Device::Cpu, [1], 2.0), &one);
/// assert_eq!(dx.to_vec()?, [0.0, 0.5, 0.0, -0.5]);
/// assert_eq!((dgamma.item()?, dbeta.item()?), (1.0, 1.0));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn batch_norm_relu_bwd(
    x: &Tensor,
    dy: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    mean: &Tensor,
    rstd: &Tensor,
) -> (Tensor, Tensor, Tensor) {
    expect_bwd("batch_norm_relu_bwd", x, dy, &[("gamma", gamma), ("beta", beta), ("mean", mean), ("rstd", rstd)]);
    bwd(Params::of(x.shape(), Spread::Rstd), x, dy, gamma, Some(beta), mean, rstd)
}

/// (dX, dgamma, dbeta, dbeside) of [`batch_norm_relu`] with a sum, from its input, its output and the statistics that it returned.
/// What PyTorch's autograd computes for `torch.relu(batch_norm(.., training=True) + beside)`.
///
/// # Panics
/// If `y` and `dy` do not have the shape of `x`, the others not one element a channel, or a tensor does not hold f32 (`x`: or f16).
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [4, 1], &[1.0f32, 3.0, 1.0, 3.0]);
/// let (one, two) = (Tensor::full(&Device::Cpu, [1], 1.0), Tensor::full(&Device::Cpu, [1], 2.0));
/// let (y, dy) = (Tensor::from_slice(&Device::Cpu, [4, 1], &[0.0f32, 4.0, 0.0, 4.0]), Tensor::full(&Device::Cpu, [4, 1], 1.0));
/// let (dx, dgamma, dbeta, dbeside) = ops::batch_norm_add_relu_bwd(&x, &y, &dy, &one, &two, &one);
/// assert_eq!(dbeside.to_vec()?, [0.0, 1.0, 0.0, 1.0]);
/// assert_eq!(dx.to_vec()?, [0.0; 4]);
/// assert_eq!((dgamma.item()?, dbeta.item()?), (2.0, 2.0));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn batch_norm_add_relu_bwd(
    x: &Tensor,
    y: &Tensor,
    dy: &Tensor,
    gamma: &Tensor,
    mean: &Tensor,
    rstd: &Tensor,
) -> (Tensor, Tensor, Tensor, Tensor) {
    expect_bwd("batch_norm_add_relu_bwd", x, dy, &[("gamma", gamma), ("mean", mean), ("rstd", rstd)]);
    let both = [("x", x), ("y", y)];
    expect::floats("batch_norm_add_relu_bwd", &both);
    expect::one_shape("batch_norm_add_relu_bwd", &both);
    let dbeside = Tensor::empty(x.device(), x.shape());
    if x.is_empty() {
        let (dx, dgamma, dbeta) = nothing(x);
        return (dx, dgamma, dbeta, dbeside);
    }
    let p = Params::of(x.shape(), Spread::Rstd);
    if !p.goes_by_four() {
        THROUGH.with(&p.header(Then::AddRelu)).launch(p, &[dy, y], &[&dbeside], p.grid_of_vectors());
        let (dx, dgamma, dbeta) = bwd(p, x, &dbeside, gamma, None, mean, rstd);
        return (dx, dgamma, dbeta, dbeside);
    }
    let partial = Tensor::empty(x.device(), [p.c as usize, p.splits as usize, 2]);
    let outputs = [&partial, &dbeside];
    ADD_BWD_PARTIAL.with(&p.header(Then::AddRelu)).launch(p, &[x, dy, mean, y], &outputs, p.grid_of_parts());
    let (dx, dgamma, dbeta) = bwd_of_sums(p, x, &dbeside, [gamma, gamma], [mean, rstd], &partial, Then::Nothing);
    (dx, dgamma, dbeta, dbeside)
}
