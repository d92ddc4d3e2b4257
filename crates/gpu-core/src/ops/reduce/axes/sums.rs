//! Sums and means.

use super::plan::{ALL_AXES, over_all, over_axes, reduce_axes};
use super::state::Op;
use crate::base::{MAX_RANK, Shape};
use crate::expect;
use crate::tensor::Tensor;

#[track_caller]
fn mean_over(op: &str, x: &Tensor, axes: &[usize], keepdim: bool) -> Tensor {
    let count = super::plan::count(op, x, axes);
    assert!(count > 0, "{op}: the mean of no elements (axes {axes:?}, x {})", x.shape());
    over_axes(op, Op::Sum, x, axes, keepdim, 1.0 / count as f32)
}

/// The sum of all elements, as a scalar. Equivalent of `torch.sum`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 2], &[1.0f32, 2.0, 3.0, 4.0]);
/// assert_eq!(ops::sum(&x).item()?, 10.0);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn sum(x: &Tensor) -> Tensor {
    over_all("sum", Op::Sum, x)
}

/// The mean of all elements, as a scalar. Equivalent of `torch.mean`.
///
/// # Panics
/// If `x` is empty or does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 2], &[1.0f32, 2.0, 3.0, 4.0]);
/// assert_eq!(ops::mean(&x).item()?, 2.5);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn mean(x: &Tensor) -> Tensor {
    mean_over("mean", x, &ALL_AXES[..x.shape().rank()], false)
}

/// The sums over `axes`, which are left with extent 1 (`keepdim`) or dropped. Equivalent of `torch.sum(x, dim, keepdim)`.
///
/// # Panics
/// If `x` has no such axis, an axis is named twice, or `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 2], &[1.0f32, 2.0, 3.0, 4.0]);
/// assert_eq!(ops::sum_axes(&x, &[0], false).to_vec()?, [4.0, 6.0]);
/// assert_eq!(ops::sum_axes(&x, &[1], true).shape().dims(), [2, 1]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn sum_axes(x: &Tensor, axes: &[usize], keepdim: bool) -> Tensor {
    over_axes("sum_axes", Op::Sum, x, axes, keepdim, 1.0)
}

/// The means over `axes`, which are left with extent 1 (`keepdim`) or dropped. Equivalent of `torch.mean(x, dim, keepdim)`.
///
/// # Panics
/// As [`sum_axes`], and if there is nothing to take the mean of.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 2], &[1.0f32, 2.0, 3.0, 4.0]);
/// assert_eq!(ops::mean_axes(&x, &[1], false).to_vec()?, [1.5, 3.5]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn mean_axes(x: &Tensor, axes: &[usize], keepdim: bool) -> Tensor {
    mean_over("mean_axes", x, axes, keepdim)
}

/// Sums `x` over the axes along which a tensor of `shape` was repeated to give that of `x`: the gradient of broadcasting.
/// Equivalent of `x.sum_to_size(shape)`; where nothing was repeated it is `x` itself, not a copy.
/// Equivalent of PyTorch's `Tensor.sum_to_size`.
///
/// # Panics
/// If `shape` does not broadcast to that of `x`, or `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let dy = Tensor::from_slice(&Device::Cpu, [2, 2], &[1.0f32, 2.0, 3.0, 4.0]);
/// assert_eq!(ops::sum_to(&dy, [2]).to_vec()?, [4.0, 6.0]);
/// assert_eq!(ops::sum_to(&dy, [2, 1]).to_vec()?, [3.0, 7.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn sum_to(x: &Tensor, shape: impl Into<Shape>) -> Tensor {
    expect::f32s("sum_to", &[("x", x)]);
    let (from, to) = (x.shape(), shape.into());
    assert!(to.broadcast(from) == Some(from), "sum_to: {to} does not broadcast to x {from}");
    if from == to {
        return x.clone();
    }
    let missing = from.rank() - to.rank();
    let mut summed = [false; MAX_RANK];
    for (axis, summed) in summed.iter_mut().enumerate().take(from.rank()) {
        *summed = axis < missing || to.dim(axis - missing) != from.dim(axis);
    }
    reduce_axes(Op::Sum, x, summed, 1.0).reshape(to)
}
