//! Batch normalisation: each channel of `x` (N, C, ...) is brought to mean 0 and variance 1, then scaled and shifted.
//!
//! `y = (x - mean) * rstd * gamma + beta`, with `rstd = 1 / sqrt(var + eps)`; in training `mean` and `var` are those of the channel
//! in this batch, in evaluation the running ones.
//!
//! `running = (1 - momentum) * running + momentum * batch`: the biased variance normalises, the unbiased one goes into the running
//! one, as in PyTorch. Statistics are found in two stages (parts of a channel, then the channel), in a fixed order.

mod mirrors;
#[cfg(test)]
mod tests;

use crate::check::{self, Bound, Case};
use crate::device::Device;
use crate::kernel::{Grid, Kernel, splits};
use crate::shape::Shape;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

const WGSL: &str = include_str!("../../../../../shaders/batch_norm.wgsl");
static PARTIAL: Kernel = Kernel::new(WGSL, "batch_norm_partial", mirrors::partial_cpu);
static STATS: Kernel = Kernel::new(WGSL, "batch_norm_stats", mirrors::stats_cpu);
static APPLY: Kernel = Kernel::new(WGSL, "batch_norm_apply", mirrors::apply_cpu);
static BWD_PARTIAL: Kernel = Kernel::new(WGSL, "batch_norm_bwd_partial", mirrors::bwd_partial_cpu);
static BWD_SUMS: Kernel = Kernel::new(WGSL, "batch_norm_bwd_sums", mirrors::bwd_sums_cpu);
static BWD_X: Kernel = Kernel::new(WGSL, "batch_norm_bwd_x", mirrors::bwd_x_cpu);
pub(super) const KERNELS: &[&Kernel] = &[&PARTIAL, &STATS, &APPLY, &BWD_PARTIAL, &BWD_SUMS, &BWD_X];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    len: u32,
    n: u32,
    c: u32,
    inner: u32,
    splits: u32,
    part: u32,
    is_eval: u32,
    eps: f32,
    momentum: f32,
    inverse_count: f32,
}

impl Params {
    fn of(x: Shape, eps: f32, momentum: f32, is_eval: bool) -> Self {
        let (n, c, inner) = (x.n(), x.c(), x.inner(2));
        let splits = splits(c, n * inner);
        Self {
            len: x.len() as u32,
            n: n as u32,
            c: c as u32,
            inner: inner as u32,
            splits: splits as u32,
            part: (n * inner).div_ceil(splits).next_multiple_of(4) as u32,
            is_eval: u32::from(is_eval),
            eps,
            momentum,
            inverse_count: if is_eval { 0.0 } else { 1.0 / (n * inner) as f32 },
        }
    }

    fn vec(&self) -> [(&'static str, u32); 1] {
        [("VEC", u32::from(self.inner.is_multiple_of(4)))]
    }

    /// One workgroup for each part of each channel.
    fn grid_of_parts(&self) -> Grid {
        Grid::folded((self.c * self.splits) as usize).trips(self.part.div_ceil(256) as usize + 8)
    }

    /// One thread for each vector of four.
    fn grid_of_vectors(&self) -> Grid {
        Grid::linear((self.len as usize).div_ceil(4), 256)
    }
}

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

#[track_caller]
fn expect_channels(op: &str, x: &Tensor, of_channels: &[(&str, &Tensor)]) {
    x.expect_f32(op);
    let shape = x.shape();
    assert!(shape.rank() >= 2, "{op}: x needs axes (n, c, ..), it has shape {shape}");
    assert!(!shape.is_empty(), "{op}: x of shape {shape} has no elements");
    for (name, t) in of_channels {
        t.expect_f32(op);
        assert!(t.shape().dims() == [shape.c()], "{op}: x {shape} has {} channels, {name} {}", shape.c(), t.shape());
    }
}

#[track_caller]
fn apply(p: Params, x: &Tensor, gamma: &Tensor, beta: &Tensor, mean: &Tensor, spread: &Tensor) -> Tensor {
    let y = Tensor::empty(x.device(), x.shape());
    APPLY.with(&p.vec()).launch(p, &[x, gamma, beta, mean, spread], &[&y], p.grid_of_vectors());
    y
}

/// Normalises `x` (N, C, ...) by the statistics of this batch, and moves `running_mean` and `running_var` (C) towards them in
/// place. Equivalent of `torch.nn.functional.batch_norm(.., training=True)`.
///
/// # Panics
/// If `gamma`, `beta` and the running statistics do not have one element a channel, if a channel has only one value (its variance
/// is not defined), or a tensor does not hold f32.
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
    let (device, shape) = (x.device(), x.shape());
    assert!(shape.len() > shape.c(), "batch_norm: x {shape} has one value a channel, training needs more");
    let p = Params::of(shape, eps, momentum, false);
    let partial = Tensor::empty(device, [shape.c(), p.splits as usize, 4]);
    // Bound twice: as elements and as vectors of four.
    PARTIAL.with(&p.vec()).launch(p, &[x, x], &[&partial], p.grid_of_parts());
    let (mean, rstd) = (Tensor::empty(device, [shape.c()]), Tensor::empty(device, [shape.c()]));
    STATS.with(&p.vec()).launch(p, &[&partial], &[&mean, &rstd, running_mean, running_var], Grid::folded(shape.c()));
    BatchNorm { y: apply(p, x, gamma, beta, &mean, &rstd), mean, rstd }
}

/// Normalises `x` (N, C, ...) by the running statistics. Equivalent of `torch.nn.functional.batch_norm(.., training=False)`.
///
/// # Panics
/// If `gamma`, `beta` and the running statistics do not have one element a channel, or a tensor does not hold f32.
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
    apply(Params::of(x.shape(), eps, 0.0, true), x, gamma, beta, running_mean, running_var)
}

#[track_caller]
fn bwd(p: Params, x: &Tensor, dy: &Tensor, gamma: &Tensor, mean: &Tensor, spread: &Tensor) -> (Tensor, Tensor, Tensor) {
    let (device, c) = (x.device(), x.shape().c());
    let partial = Tensor::empty(device, [c, p.splits as usize, 2]);
    BWD_PARTIAL.with(&p.vec()).launch(p, &[x, x, dy, dy, mean], &[&partial], p.grid_of_parts());
    let (dgamma, dbeta) = (Tensor::empty(device, [c]), Tensor::empty(device, [c]));
    BWD_SUMS.with(&p.vec()).launch(p, &[spread, &partial], &[&dgamma, &dbeta], Grid::folded(c));
    let dx = Tensor::empty(device, x.shape());
    BWD_X.with(&p.vec()).launch(p, &[x, dy, gamma, mean, spread, &dgamma, &dbeta], &[&dx], p.grid_of_vectors());
    (dx, dgamma, dbeta)
}

/// (dX, dgamma, dbeta) of [`batch_norm`], from its input and the statistics that it returned.
/// What PyTorch's autograd computes for `batch_norm(.., training=True)`.
///
/// # Panics
/// If `dy` does not have the shape of `x`, `gamma`, `mean` and `rstd` not one element a channel, or a tensor does not hold f32.
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
    expect_channels("batch_norm_bwd", x, &[("gamma", gamma), ("mean", mean), ("rstd", rstd)]);
    dy.expect_f32("batch_norm_bwd");
    assert!(x.shape() == dy.shape(), "batch_norm_bwd: x has shape {}, dy has {}", x.shape(), dy.shape());
    bwd(Params::of(x.shape(), 0.0, 0.0, false), x, dy, gamma, mean, rstd)
}

/// (dX, dgamma, dbeta) of [`batch_norm_eval`]: the running statistics are constants.
/// What PyTorch's autograd computes for `batch_norm(.., training=False)`.
///
/// # Panics
/// If `dy` does not have the shape of `x`, `gamma` and the running statistics not one element a channel, or a tensor does not hold
/// f32.
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
    expect_channels("batch_norm_eval_bwd", x, &of_channels);
    dy.expect_f32("batch_norm_eval_bwd");
    assert!(x.shape() == dy.shape(), "batch_norm_eval_bwd: x has shape {}, dy has {}", x.shape(), dy.shape());
    bwd(Params::of(x.shape(), eps, 0.0, true), x, dy, gamma, running_mean, running_var)
}

const SHAPES: &[&[usize]] = &[
    &[2, 1],
    &[33, 5],
    &[257, 12],
    &[3, 7, 11],
    &[4, 3, 5, 5],
    &[8, 16, 7, 9],
    &[2, 64, 16, 16],
    &[1, 1, 97, 101],
    &[19, 2, 32, 32],
    &[5, 3, 71, 61],
];

/// Values around `mean` with standard deviation 1.
fn around(device: &Device, shape: Shape, mean: f32, seed: u64) -> Tensor {
    let values: Vec<f32> = check::values(shape.len(), seed).iter().map(|v| mean + v * 3f32.sqrt()).collect();
    Tensor::from_slice(device, shape, &values)
}

/// gamma, beta, running mean, running variance.
fn of_channels(device: &Device, c: usize) -> [Tensor; 4] {
    let positive = |seed| Tensor::from_slice(device, [c], &check::values(c, seed).iter().map(|v| v + 1.5).collect::<Vec<f32>>());
    [positive(11), check::tensor(device, [c], 12), check::tensor(device, [c], 13), positive(14)]
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let shapes = SHAPES.iter().map(|dims| Shape::new(dims));
    // One mean is an f32 with steps of 1e-3: kernel and mirror may take neighbouring ones.
    for (shape, mean, fraction) in shapes.flat_map(|shape| [(shape, 0.5, 2e-5), (shape, 1e4, 3e-3)]) {
        let what = format!("{shape} around {mean}");
        cases.push(Case::new("batch_norm", what.clone(), Bound::Relative(fraction), move |device| {
            let [gamma, beta, running_mean, running_var] = of_channels(device, shape.c());
            let x = around(device, shape, mean, 1);
            let BatchNorm { y, mean, rstd } = batch_norm(&x, &gamma, &beta, &running_mean, &running_var, 0.1, 1e-5);
            vec![y, mean, rstd, running_mean, running_var]
        }));
        cases.push(Case::new("batch_norm_bwd", what.clone(), Bound::Relative(fraction), move |device| {
            let [gamma, _, running_mean, running_var] = of_channels(device, shape.c());
            let x = around(device, shape, mean, 1);
            let kept = batch_norm(&x, &gamma, &gamma, &running_mean, &running_var, 0.1, 1e-5);
            let (dx, dgamma, dbeta) = batch_norm_bwd(&x, &check::tensor(device, shape, 2), &gamma, &kept.mean, &kept.rstd);
            vec![dx, dgamma, dbeta]
        }));
        cases.push(Case::new("batch_norm_eval", what, Bound::Relative(2e-5), move |device| {
            let [gamma, beta, running_mean, running_var] = of_channels(device, shape.c());
            let (x, dy) = (around(device, shape, mean, 1), check::tensor(device, shape, 2));
            let y = batch_norm_eval(&x, &gamma, &beta, &running_mean, &running_var, 1e-5);
            let (dx, dgamma, dbeta) = batch_norm_eval_bwd(&x, &dy, &gamma, &running_mean, &running_var, 1e-5);
            vec![y, dx, dgamma, dbeta]
        }));
    }
    cases
}
