//! Whether any or all hold.

use super::WGSL;
use super::params::Params;
use super::plan::{ALL_AXES, over_axes};
use super::state::Op;
use crate::base::DType;
use crate::kernel::{Args, Grid, Kernel};
use crate::tensor::Tensor;
use bytemuck::Zeroable;

// Reductions give a word a result; bools are bytes, and a thread may write words only.
pub(super) static REDUCE_PACK: Kernel = Kernel::new_trusted(WGSL, "reduce_pack", reduce_pack_cpu);

fn reduce_pack_cpu(args: &mut Args<'_>) {
    let (x, y): (&[u32], &mut [u8]) = (args.input(0), args.output(0));
    y.iter_mut().zip(x).for_each(|(y, &x)| *y = x as u8);
}

#[track_caller]
fn logical(op: &str, kind: Op, x: &Tensor, axes: &[usize], keepdim: bool) -> Tensor {
    let words = over_axes(op, kind, x, axes, keepdim, 1.0);
    let y = Tensor::empty_of(x.device(), words.shape(), DType::Bool);
    let p = Params { len: y.len() as u32, ..Params::zeroed() };
    let constants = [("OP", kind as u32), ("FIRST", 0), ("LAST", 1)];
    REDUCE_PACK.with(&constants).launch(p, &[&words], &[&y], Grid::linear(y.len().div_ceil(4), 256).trips(4));
    y
}

/// Whether any element holds, a bool scalar; of none, no. Equivalent of `torch.any`.
///
/// # Panics
/// If `x` does not hold bool.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 2], &[false, true, false, false]);
/// assert_eq!(ops::any(&x).read::<bool>()?, [true]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn any(x: &Tensor) -> Tensor {
    logical("any", Op::Any, x, &ALL_AXES[..x.shape().rank()], false)
}

/// Whether all elements hold, a bool scalar; of none, yes. Equivalent of `torch.all`.
///
/// # Panics
/// If `x` does not hold bool.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 2], &[false, true, false, false]);
/// assert_eq!(ops::all(&x).read::<bool>()?, [false]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn all(x: &Tensor) -> Tensor {
    logical("all", Op::All, x, &ALL_AXES[..x.shape().rank()], false)
}

/// Whether any element over `axes` holds; the axes are left with extent 1 (`keepdim`) or dropped. Equivalent of
/// `torch.any(x, dim, keepdim)`.
///
/// # Panics
/// If `x` has no such axis, an axis is named twice, or `x` does not hold bool; likewise for [`all_axes`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 2], &[false, true, false, false]);
/// assert_eq!(ops::any_axes(&x, &[1], false).read::<bool>()?, [true, false]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn any_axes(x: &Tensor, axes: &[usize], keepdim: bool) -> Tensor {
    logical("any_axes", Op::Any, x, axes, keepdim)
}

/// Whether all elements over `axes` hold. Equivalent of `torch.all(x, dim, keepdim)`.
///
/// # Panics
/// As [`any_axes`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 2], &[false, true, true, true]);
/// assert_eq!(ops::all_axes(&x, &[1], false).read::<bool>()?, [false, true]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn all_axes(x: &Tensor, axes: &[usize], keepdim: bool) -> Tensor {
    logical("all_axes", Op::All, x, axes, keepdim)
}
