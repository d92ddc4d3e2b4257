//! Variances, and logarithms of sums of exponentials.

use super::plan::{count, over_axes};
use super::state::Op;
use crate::expect;
use crate::tensor::Tensor;

#[track_caller]
fn spread(op: &str, kind: Op, x: &Tensor, axes: &[usize], correction: usize, keepdim: bool) -> Tensor {
    expect::f32s(op, &[("x", x)]);
    let count = count(op, x, axes);
    let left = count.saturating_sub(correction);
    assert!(left > 0, "{op}: {count} elements less {correction} leave nothing to divide by (axes {axes:?}, x {})", x.shape());
    over_axes(op, kind, x, axes, keepdim, 1.0 / left as f32)
}

/// The variance over `axes`: squares of differences from the mean, over their number less `correction` (0: of the elements as they
/// are, 1: unbiased, as PyTorch has it unless told). The axes are left with extent 1 (`keepdim`) or dropped. Exact for means that are
/// large against the differences too. Equivalent of `torch.var(x, dim, correction=correction, keepdim=keepdim)`.
///
/// # Panics
/// If `x` has no such axis, an axis is named twice, there are not more than `correction` elements, or `x` does not hold f32;
/// likewise for [`std()`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 2], &[1.0f32, 3.0, 5.0, 5.0]);
/// assert_eq!(ops::var(&x, &[1], 0, false).to_vec()?, [1.0, 0.0]);
/// assert_eq!(ops::var(&x, &[1], 1, false).to_vec()?, [2.0, 0.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn var(x: &Tensor, axes: &[usize], correction: usize, keepdim: bool) -> Tensor {
    spread("var", Op::Var, x, axes, correction, keepdim)
}

/// The root of [`var`]. Equivalent of `torch.std(x, dim, correction=correction, keepdim=keepdim)`.
///
/// # Panics
/// As [`var`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[1.0f32, 3.0]);
/// assert_eq!(ops::std(&x, &[0], 0, false).item()?, 1.0);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn std(x: &Tensor, axes: &[usize], correction: usize, keepdim: bool) -> Tensor {
    spread("std", Op::Std, x, axes, correction, keepdim)
}

/// `ln(sum over axes of exp(x))`, without overflow; minus infinity of no elements. The axes are left with extent 1 (`keepdim`) or
/// dropped. Equivalent of `torch.logsumexp`.
///
/// # Panics
/// If `x` has no such axis, an axis is named twice, or `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 2], &[1000.0f32, 1000.0]);
/// assert_eq!(ops::logsumexp(&x, &[1], false).item()?, 1000.0 + 2f32.ln());
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn logsumexp(x: &Tensor, axes: &[usize], keepdim: bool) -> Tensor {
    over_axes("logsumexp", Op::LogSumExp, x, axes, keepdim, 1.0)
}
