//! Axes in another order, repeated, or backwards.

use super::params::Axis;
use super::walk::{Walk, expect_axes, expect_axis, strides};
use crate::base::{MAX_RANK, Shape};
use crate::tensor::Tensor;

/// The axes in another order: axis `k` of y is axis `axes[k]` of `x`. Any element type. Equivalent of
/// `torch.permute(x, axes).contiguous()`; where the order in memory stays, it is `x` itself under another shape.
///
/// # Panics
/// If `axes` does not name each axis of `x` once.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 3], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// assert_eq!(ops::permute(&x, &[1, 0]).to_vec()?, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn permute(x: &Tensor, axes: &[usize]) -> Tensor {
    by("permute", x, axes, x.device().work().is_by_registers())
}

/// [`permute`] with two axes exchanged. Equivalent of `torch.transpose(x, a, b).contiguous()`.
///
/// # Panics
/// If `x` has no such axis.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 2, 2], &[1u32, 2, 3, 4]);
/// assert_eq!(ops::transpose(&x, 1, 2).read::<u32>()?, [1, 3, 2, 4]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn transpose(x: &Tensor, a: usize, b: usize) -> Tensor {
    expect_axis("transpose", x.shape(), a);
    expect_axis("transpose", x.shape(), b);
    let mut axes: Vec<usize> = (0..x.shape().rank()).collect();
    axes.swap(a, b);
    by("transpose", x, &axes, x.device().work().is_by_registers())
}

/// [`permute`] by registers, the form for software drivers, or in tiles, the form for hardware.
///
/// # Panics
/// As [`permute`].
#[track_caller]
pub fn permute_by(registers: bool, x: &Tensor, axes: &[usize]) -> Tensor {
    by("permute", x, axes, registers)
}

#[track_caller]
fn by(op: &str, x: &Tensor, axes: &[usize], registers: bool) -> Tensor {
    let shape = x.shape();
    expect_axes(op, shape, axes);
    let rank = shape.rank();
    assert!(axes.len() == rank, "{op}: {axes:?} names {} of {rank} axes (x {shape})", axes.len());
    let dims: Vec<usize> = axes.iter().map(|&axis| shape.dim(axis)).collect();
    let moved: Vec<usize> = axes.iter().copied().filter(|&axis| shape.dim(axis) != 1).collect();
    if moved.is_sorted() || shape.is_empty() {
        return x.reshape(dims.as_slice());
    }
    let y = Tensor::empty_of(x.device(), dims.as_slice(), x.dtype());
    let steps: Vec<isize> = axes.iter().map(|&axis| strides(shape)[axis]).collect();
    Walk::gather(y.shape(), 0, &steps).run_by(op, x, &y, registers);
    y
}

/// `x` repeated to `shape` as broadcasting does: extents of 1, and missing ones in front, become those of `shape`. Any element type.
/// Equivalent of PyTorch's `x.expand(shape).contiguous()`; `x` itself where it has that shape.
///
/// # Panics
/// If `x` does not broadcast to `shape`.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 1], &[1.0f32, 2.0]);
/// assert_eq!(ops::expand(&x, [2, 3]).to_vec()?, [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn expand(x: &Tensor, shape: impl Into<Shape>) -> Tensor {
    let (before, shape) = (x.shape(), shape.into());
    assert!(before.broadcast(shape) == Some(shape), "expand: x does not broadcast to {shape} (x {before})");
    if before.len() == shape.len() {
        return x.reshape(shape);
    }
    let y = Tensor::empty_of(x.device(), shape, x.dtype());
    let steps = before.broadcast_strides(shape).map(|step| step as isize);
    Walk::gather(shape, 0, &steps).run("expand", x, &y);
    y
}

/// The elements along each of `axes` in the opposite order. Any element type. Equivalent of `torch.flip`.
///
/// # Panics
/// If `x` has no such axis, or one is named twice.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 3], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// assert_eq!(ops::flip(&x, &[1]).to_vec()?, [3.0, 2.0, 1.0, 6.0, 5.0, 4.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn flip(x: &Tensor, axes: &[usize]) -> Tensor {
    let shape = x.shape();
    expect_axes("flip", shape, axes);
    let y = Tensor::empty_of(x.device(), shape, x.dtype());
    let (mut steps, mut first) = (strides(shape), 0);
    for &axis in axes {
        first += shape.dim(axis).saturating_sub(1) * steps[axis] as usize;
        steps[axis] = -steps[axis];
    }
    Walk::gather(shape, first, &steps).run("flip", x, &y);
    y
}

/// `x` laid side by side `times[k]` times along axis k; with more numbers than axes, the axes are the last ones. Any element type.
/// Equivalent of `x.repeat(times)` (NumPy's `tile`).
///
/// # Panics
/// If there are fewer numbers than axes, or more than six.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[1u32, 2]);
/// assert_eq!(ops::repeat(&x, &[2, 2]).read::<u32>()?, [1, 2, 1, 2, 1, 2, 1, 2]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn repeat(x: &Tensor, times: &[usize]) -> Tensor {
    let shape = x.shape();
    let fits = (shape.rank()..=MAX_RANK).contains(&times.len());
    assert!(fits, "repeat: {} numbers for {} axes (x {shape})", times.len(), shape.rank());
    let mut dims = vec![1; times.len() - shape.rank()];
    dims.extend(shape.dims());
    repeated(&x.reshape(dims.as_slice()), times)
}

/// Each axis of y is two of the walk: the copies, along which x stands still, and the axis of x.
#[track_caller]
fn repeated(x: &Tensor, times: &[usize]) -> Tensor {
    let shape = x.shape();
    let dims: Option<Vec<usize>> = shape.dims().iter().zip(times).map(|(d, times)| d.checked_mul(*times)).collect();
    let Some(dims) = dims else { panic!("repeat: {times:?} times are more than can be counted (x {shape})") };
    let y = Shape::new(&dims);
    let axis = |k: usize| {
        let (extent, x_step, y_step) = (shape.dim(k), strides(shape)[k], y.strides()[k]);
        [Axis { extent, x_step, y_step }, Axis { extent: times[k], x_step: 0, y_step: y_step * extent }]
    };
    let walk = Walk { axes: (0..shape.rank()).rev().flat_map(axis).collect(), x_first: 0, y_first: 0 }.merged();
    if walk.axes.len() > MAX_RANK {
        // The last two repeated axes alone are never too many; then the others.
        let split = (0..times.len()).rev().filter(|&k| times[k] != 1).nth(1).unwrap_or(0);
        let only =
            |inner: bool| -> Vec<usize> { (0..times.len()).map(|k| if (k >= split) == inner { times[k] } else { 1 }).collect() };
        return repeated(&repeated(x, &only(true)), &only(false));
    }
    let y = Tensor::empty_of(x.device(), y, x.dtype());
    walk.run("repeat", x, &y);
    y
}
