//! The norm of a group: over some channels of a sample and all their places. One group a channel is the norm of an instance.

use super::{Form, Params, RUNNING, RowNorm, RowStats, alone, bwd_w, bwd_x, forward};
use crate::base::Shape;
use crate::expect;
use crate::kernel::Grid;
use crate::tensor::Tensor;

/// `x` (N, C, ...) in `groups` rows a sample.
#[track_caller]
pub(super) fn params(op: &str, x: &Tensor, groups: usize) -> Params {
    let shape = x.shape();
    assert!(shape.rank() >= 2, "{op}: x needs axes (n, c, ..) (x {shape})");
    let c = shape.c();
    assert!(c.is_multiple_of(groups), "{op}: {groups} groups do not divide {c} channels (x {shape})");
    Params::of([shape.n(), c, shape.inner(2)], groups)
}

#[track_caller]
pub(super) fn expect_channels(op: &str, x: &Tensor, affine: &[(&str, Option<&Tensor>)]) {
    for &(name, t) in affine {
        let Some(t) = t else { continue };
        let (shape, c) = (x.shape(), x.shape().c());
        expect::f32s(op, &[("x", x), (name, t)]);
        assert!(t.shape().dims() == [c], "{op}: x has {c} channels, {name} {} (x {shape})", t.shape());
    }
}

/// Normalises each of `groups` groups of channels of each sample of `x` (N, C, ...), then scales and shifts channels by `gamma` and
/// `beta` (C). The statistics are (N, groups). Equivalent of `torch.nn.functional.group_norm(x, groups, gamma, beta, eps)`; with C groups,
/// of `instance_norm(x, weight=gamma, bias=beta, eps=eps)`.
///
/// # Panics
/// If the groups do not divide the channels, `gamma` or `beta` does not have one element a channel, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 4, 1], &[1.0f32, 3.0, 40.0, 0.0]);
/// let gamma = Tensor::from_slice(&Device::Cpu, [4], &[1.0f32, 2.0, 3.0, 4.0]);
/// let normed = ops::group_norm(&x, 2, Some(&gamma), None, 0.0);
/// assert_eq!(normed.y.to_vec()?, [-1.0, 2.0, 3.0, -4.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn group_norm(x: &Tensor, groups: usize, gamma: Option<&Tensor>, beta: Option<&Tensor>, eps: f32) -> RowNorm {
    expect::f32s("group_norm", &[("x", x)]);
    let p = Params { eps, ..params("group_norm", x, groups) };
    expect_channels("group_norm", x, &[("gamma", gamma), ("beta", beta)]);
    let stats = RowStats::new(x, [x.shape().n(), groups].into());
    RowNorm { y: forward(Form::choose(x.device().work(), p), p, x, gamma, beta, &stats), stats }
}

/// The statistics are (N, groups).
#[track_caller]
fn expect_bwd(op: &str, x: &Tensor, dy: &Tensor, stats: &RowStats) -> Params {
    let RowStats { offset, rstd } = stats;
    expect::f32s(op, &[("x", x), ("dy", dy), ("offset", offset), ("rstd", rstd)]);
    expect::one_shape(op, &[("x", x), ("dy", dy)]);
    expect::one_shape(op, &[("offset", offset), ("rstd", rstd)]);
    expect::rank(op, ("x", x), 2..=crate::base::MAX_RANK);
    let (of_x, of_rstd) = (x.shape(), rstd.shape());
    let fits = of_rstd.rank() == 2 && of_rstd.n() == of_x.n();
    assert!(fits, "{op}: the statistics rstd {of_rstd} are not (N, groups) of x {of_x}");
    params(op, x, of_rstd.c())
}

/// dX of [`group_norm`], from its input and the statistics that it returned. What PyTorch's autograd computes for `group_norm`.
///
/// # Panics
/// If `dy` does not have the shape of `x`, the statistics are not (N, groups), `gamma` does not have one element a channel, or a
/// tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 2, 2], &[1.0f32, 3.0, 1.0, 3.0]);
/// let dy = Tensor::from_slice(&Device::Cpu, [1, 2, 2], &[4.0f32, 0.0, 0.0, 0.0]);
/// let normed = ops::group_norm(&x, 1, None, None, 0.0);
/// assert_eq!(ops::group_norm_bwd_x(&x, &dy, None, &normed.stats).to_vec()?, [2.0, 0.0, -2.0, 0.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn group_norm_bwd_x(x: &Tensor, dy: &Tensor, gamma: Option<&Tensor>, stats: &RowStats) -> Tensor {
    let p = expect_bwd("group_norm_bwd_x", x, dy, stats);
    expect_channels("group_norm_bwd_x", x, &[("gamma", gamma)]);
    bwd_x(Form::choose(x.device().work(), p), p, x, dy, gamma, stats)
}

/// (dgamma, dbeta) of [`group_norm`], (C) each. What PyTorch's autograd computes for `group_norm`.
///
/// # Panics
/// If `dy` does not have the shape of `x`, the statistics are not (N, groups), or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 2, 2], &[1.0f32, 3.0, 1.0, 3.0]);
/// let dy = Tensor::from_slice(&Device::Cpu, [1, 2, 2], &[1.0f32, 2.0, 3.0, 4.0]);
/// let normed = ops::group_norm(&x, 1, None, None, 0.0);
/// let (dgamma, dbeta) = ops::group_norm_bwd_w(&x, &dy, &normed.stats);
/// assert_eq!((dgamma.to_vec()?, dbeta.to_vec()?), (vec![1.0, 1.0], vec![3.0, 7.0]));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn group_norm_bwd_w(x: &Tensor, dy: &Tensor, stats: &RowStats) -> (Tensor, Tensor) {
    let p = expect_bwd("group_norm_bwd_w", x, dy, stats);
    bwd_w(p, x, dy, stats, Shape::from([x.shape().c()]))
}

/// Moves `running_mean` and `running_var` (C) in place towards the means over the samples of the means and unbiased variances that
/// [`group_norm`] found with one group a channel and this `eps`. What `torch.nn.functional.instance_norm` does to its running statistics.
///
/// An `x` without elements leaves them as they are.
///
/// # Panics
/// If the statistics are not (N, C) of `x` (N, C, ...), the running ones not one element a channel, or a tensor does not hold f32. If
/// a channel of a sample has one value, whose variance is none.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 1, 2], &[1.0f32, 3.0, 4.0, 8.0]);
/// let (mean, var) = (Tensor::zeros(&Device::Cpu, [1]), Tensor::zeros(&Device::Cpu, [1]));
/// let normed = ops::group_norm(&x, 1, None, None, 0.0);
/// ops::instance_norm_running(&x, &normed.stats, &mean, &var, 1.0, 0.0);
/// assert_eq!((mean.item()?, var.item()?), (4.0, 5.0));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn instance_norm_running(x: &Tensor, stats: &RowStats, running_mean: &Tensor, running_var: &Tensor, momentum: f32, eps: f32) {
    const OP: &str = "instance_norm_running";
    let RowStats { offset, rstd } = stats;
    expect::f32s(OP, &[("x", x), ("offset", offset), ("rstd", rstd)]);
    let p = Params { eps, momentum, ..params(OP, x, x.shape().dims().get(1).copied().unwrap_or(1)) };
    let (n, c) = (x.shape().n(), x.shape().c());
    for (name, t) in [("offset", offset), ("rstd", rstd)] {
        assert!(t.shape() == [n, c].into(), "{OP}: {name} {} is not (N, C) of x {}", t.shape(), x.shape());
    }
    assert!(
        x.is_empty() || x.shape().inner(2) > 1,
        "{OP}: x {} has one value a channel of a sample, training needs more",
        x.shape()
    );
    expect_channels(OP, x, &[("running_mean", Some(running_mean)), ("running_var", Some(running_var))]);
    if !x.is_empty() {
        let grid = Grid::folded(c).trips(n.div_ceil(64) + 12);
        alone(&RUNNING, false).launch(p, &[x, offset, rstd], &[running_mean, running_var], grid);
    }
}
