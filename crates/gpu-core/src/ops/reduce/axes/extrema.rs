//! The largest and the smallest, how many of them there are, and where.

use super::plan::{count, over_axes};
use super::state::Op;
use crate::base::Shape;
use crate::expect;
use crate::tensor::Tensor;

#[track_caller]
fn extremum(op: &str, kind: Op, x: &Tensor, axes: &[usize], keepdim: bool) -> Tensor {
    expect::f32s(op, &[("x", x)]);
    let nothing = count(op, x, axes) == 0;
    assert!(!nothing, "{op}: of no elements there is none (axes {axes:?}, x {})", x.shape());
    over_axes(op, kind, x, axes, keepdim, 1.0)
}

/// The largest over `axes`, which are left with extent 1 (`keepdim`) or dropped; a NaN if there is one. Equivalent of
/// `torch.amax`.
///
/// # Panics
/// If `x` has no such axis, an axis is named twice, it is empty along them, or `x` does not hold f32; likewise for [`amin`],
/// [`amax_ties`] and [`amin_ties`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 2], &[1.0f32, 4.0, 3.0, 2.0]);
/// assert_eq!(ops::amax(&x, &[1], false).to_vec()?, [4.0, 3.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn amax(x: &Tensor, axes: &[usize], keepdim: bool) -> Tensor {
    extremum("amax", Op::Max, x, axes, keepdim)
}

/// The smallest over `axes`; a NaN if there is one. Equivalent of `torch.amin`.
///
/// # Panics
/// As [`amax`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 2], &[1.0f32, 4.0, 3.0, 2.0]);
/// assert_eq!(ops::amin(&x, &[0, 1], true).to_vec()?, [1.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn amin(x: &Tensor, axes: &[usize], keepdim: bool) -> Tensor {
    extremum("amin", Op::Min, x, axes, keepdim)
}

/// How many elements are the largest over `axes`, as f32: among so many the gradient of [`amax`] is shared. Equivalent of
/// `(x == x.amax(dim, keepdim=True)).sum(dim)`.
/// What PyTorch counts to share the gradient of `torch.amax`.
///
/// # Panics
/// As [`amax`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [4], &[1.0f32, 4.0, 4.0, 2.0]);
/// assert_eq!(ops::amax_ties(&x, &[0], false).item()?, 2.0);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn amax_ties(x: &Tensor, axes: &[usize], keepdim: bool) -> Tensor {
    extremum("amax_ties", Op::TiesMax, x, axes, keepdim)
}

/// How many elements are the smallest over `axes`, as f32. Equivalent of `(x == x.amin(dim, keepdim=True)).sum(dim)`.
/// What PyTorch counts to share the gradient of `torch.amin`.
///
/// # Panics
/// As [`amax`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [4], &[1.0f32, 4.0, 1.0, 1.0]);
/// assert_eq!(ops::amin_ties(&x, &[0], false).item()?, 3.0);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn amin_ties(x: &Tensor, axes: &[usize], keepdim: bool) -> Tensor {
    extremum("amin_ties", Op::TiesMin, x, axes, keepdim)
}

/// The place of the largest along `axis`, u32: the first where several are equal; a NaN counts as largest. Equivalent of
/// `torch.argmax(x, dim, keepdim)`.
///
/// # Panics
/// If `x` has no such axis, it is empty, or `x` does not hold f32; likewise for [`argmin_axis`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 3], &[1.0f32, 5.0, 5.0, 0.0, -1.0, -1.0]);
/// assert_eq!(ops::argmax_axis(&x, 1, false).read::<u32>()?, [1, 0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn argmax_axis(x: &Tensor, axis: usize, keepdim: bool) -> Tensor {
    extremum("argmax_axis", Op::ArgMax, x, &[axis], keepdim)
}

/// The place of the smallest along `axis`, u32: the first where several are equal; a NaN counts as smallest. Equivalent of
/// `torch.argmin(x, dim, keepdim)`.
///
/// # Panics
/// As [`argmax_axis`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 3], &[1.0f32, 5.0, 5.0, 0.0, -1.0, -1.0]);
/// assert_eq!(ops::argmin_axis(&x, 1, false).read::<u32>()?, [0, 1]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn argmin_axis(x: &Tensor, axis: usize, keepdim: bool) -> Tensor {
    extremum("argmin_axis", Op::ArgMin, x, &[axis], keepdim)
}

#[track_caller]
fn place(op: &str, kind: Op, x: &Tensor) -> Tensor {
    assert!(!x.is_empty(), "{op}: of no elements there is none (x {})", x.shape());
    extremum(op, kind, &x.reshape([x.len()]), &[0], false).reshape(Shape::SCALAR)
}

/// The place of the largest of all, counted in the order of memory; a u32 scalar. Equivalent of `torch.argmax(x)`.
///
/// # Panics
/// If `x` is empty or does not hold f32; likewise for [`argmin_all`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 2], &[1.0f32, 2.0, 4.0, 3.0]);
/// assert_eq!(ops::argmax_all(&x).read::<u32>()?, [2]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn argmax_all(x: &Tensor) -> Tensor {
    place("argmax_all", Op::ArgMax, x)
}

/// The place of the smallest of all, counted in the order of memory; a u32 scalar. Equivalent of `torch.argmin(x)`.
///
/// # Panics
/// As [`argmax_all`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 2], &[1.0f32, 2.0, -4.0, -4.0]);
/// assert_eq!(ops::argmin_all(&x).read::<u32>()?, [2]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn argmin_all(x: &Tensor) -> Tensor {
    place("argmin_all", Op::ArgMin, x)
}
