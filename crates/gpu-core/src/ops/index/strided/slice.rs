//! Parts of a tensor: ranges of indices, with steps.

use super::pad::{PadMode, pad_by};
use super::walk::{Walk, expect_axis, strides};
use crate::base::Shape;
use crate::expect;
use crate::tensor::Tensor;
use std::ops::{Range, RangeFrom, RangeFull, RangeTo};

/// Which indices of an axis [`slice()`] takes: those of a range, or every n-th of them.
///
/// With a step below zero they come backwards, beginning with the range's last: `Slice::from(..).step(-1)` is the mirror image.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::Slice};
/// let x = Tensor::from_slice(&Device::Cpu, [6], &[0u32, 1, 2, 3, 4, 5]);
/// assert_eq!(ops::slice(&x, &[Slice::from(1..6).step(2)]).read::<u32>()?, [1, 3, 5]);
/// assert_eq!(ops::slice(&x, &[Slice::from(..).step(-2)]).read::<u32>()?, [5, 3, 1]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    start: usize,
    end: Option<usize>,
    step: isize,
}

impl Slice {
    /// Every `step`-th index of the range; from its end where `step` is below zero.
    ///
    /// # Panics
    /// If `step` is zero.
    #[track_caller]
    pub fn step(self, step: isize) -> Self {
        assert!(step != 0, "Slice: a step of zero");
        Self { step, ..self }
    }

    /// The range within an axis of extent `n`, if it fits.
    fn range(&self, n: usize) -> Option<Range<usize>> {
        let end = self.end.unwrap_or(n);
        (self.start <= end && end <= n).then_some(self.start..end)
    }
}

impl From<Range<usize>> for Slice {
    fn from(range: Range<usize>) -> Self {
        Self { start: range.start, end: Some(range.end), step: 1 }
    }
}

impl From<RangeTo<usize>> for Slice {
    fn from(range: RangeTo<usize>) -> Self {
        Self { start: 0, end: Some(range.end), step: 1 }
    }
}

impl From<RangeFrom<usize>> for Slice {
    fn from(range: RangeFrom<usize>) -> Self {
        Self { start: range.start, end: None, step: 1 }
    }
}

impl From<RangeFull> for Slice {
    fn from(_: RangeFull) -> Self {
        Self { start: 0, end: None, step: 1 }
    }
}

/// What slices make of a shape.
struct Plan {
    shape: Shape,
    first: usize,
    steps: Vec<isize>,
}

impl Plan {
    #[track_caller]
    fn new(op: &str, x: Shape, slices: &[Slice]) -> Self {
        assert!(slices.len() <= x.rank(), "{op}: {} slices of {} axes (x {x})", slices.len(), x.rank());
        let (mut dims, mut steps, mut first) = (x.dims().to_vec(), strides(x)[..x.rank()].to_vec(), 0);
        for (k, slice) in slices.iter().enumerate() {
            let Some(range) = slice.range(x.dim(k)) else {
                let end = slice.end.map_or(String::new(), |end| end.to_string());
                panic!("{op}: {}..{end} is not a part of axis {k} (x {x})", slice.start);
            };
            dims[k] = range.len().div_ceil(slice.step.unsigned_abs());
            let begin = if slice.step > 0 { range.start } else { range.end.saturating_sub(1) };
            first += begin * steps[k] as usize;
            // Of one element the step, whatever its size, leads nowhere.
            steps[k] *= if dims[k] > 1 { slice.step } else { 1 };
        }
        Self { shape: Shape::new(&dims), first, steps }
    }
}

#[track_caller]
fn take(op: &str, x: &Tensor, slices: &[Slice]) -> Tensor {
    let plan = Plan::new(op, x.shape(), slices);
    let y = Tensor::empty_of(x.device(), plan.shape, x.dtype());
    Walk::gather(plan.shape, plan.first, &plan.steps).run(op, x, &y);
    y
}

/// A part of `x`: one [`Slice`] an axis, beginning with the first; axes without one are taken whole. Any element type. Equivalent of
/// PyTorch's `x[a:b:s, ..].contiguous()`; ends past the extent are refused, not cut.
///
/// # Panics
/// If a range does not lie within its axis, or there are more slices than axes.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 3], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// assert_eq!(ops::slice(&x, &[(..).into(), (1..3).into()]).to_vec()?, [2.0, 3.0, 5.0, 6.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn slice(x: &Tensor, slices: &[Slice]) -> Tensor {
    take("slice", x, slices)
}

/// The gradient of [`slice()`] to its input of shape `x`: `dy` where elements were taken from, zero elsewhere. What PyTorch's autograd
/// computes for `x[a:b:s, ..]`.
///
/// # Panics
/// If `dy` is not of the shape that the slices give, or does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::Slice};
/// let dy = Tensor::from_slice(&Device::Cpu, [2], &[5.0f32, 6.0]);
/// let dx = ops::slice_bwd_x(&dy, [4], &[Slice::from(..).step(-2)]);
/// assert_eq!(dx.to_vec()?, [0.0, 6.0, 0.0, 5.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn slice_bwd_x(dy: &Tensor, x: impl Into<Shape>, slices: &[Slice]) -> Tensor {
    const OP: &str = "slice_bwd_x";
    let x = x.into();
    expect::f32s(OP, &[("dy", dy)]);
    let plan = Plan::new(OP, x, slices);
    assert!(dy.shape() == plan.shape, "{OP}: the slices give {} (x {x}, dy {})", plan.shape, dy.shape());
    if slices.iter().all(|slice| slice.step == 1) {
        // One pass that writes everything once.
        let mut edges = vec![[0, 0]; x.rank()];
        for (k, slice) in slices.iter().enumerate() {
            let range = slice.range(x.dim(k)).unwrap_or_default();
            edges[k] = [range.start as isize, (x.dim(k) - range.end) as isize];
        }
        return pad_by(OP, dy, &edges, PadMode::Constant(0.0));
    }
    let dx = Tensor::zeros(dy.device(), x);
    Walk::scatter(dy.shape(), plan.first, &plan.steps).run(OP, dy, &dx);
    dx
}

/// Indices `start .. start + len` of one axis. Any element type. Equivalent of `torch.narrow(x, axis, start, len).contiguous()`.
///
/// # Panics
/// If `x` has no such axis, or the axis is shorter.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 3], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// assert_eq!(ops::narrow(&x, 1, 1, 2).to_vec()?, [2.0, 3.0, 5.0, 6.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn narrow(x: &Tensor, axis: usize, start: usize, len: usize) -> Tensor {
    expect_axis("narrow", x.shape(), axis);
    let mut slices = vec![Slice::from(..); axis + 1];
    slices[axis] = (start..start.saturating_add(len)).into();
    take("narrow", x, &slices)
}

/// One index of an axis, which is dropped. Any element type. Equivalent of `torch.select(x, axis, index).contiguous()`.
///
/// # Panics
/// If `x` has no such axis, or the axis has no such index.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 3], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// let y = ops::select(&x, 1, 2);
/// assert_eq!((y.shape().dims(), y.to_vec()?), (&[2][..], vec![3.0, 6.0]));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn select(x: &Tensor, axis: usize, index: usize) -> Tensor {
    let shape = x.shape();
    expect_axis("select", shape, axis);
    assert!(index < shape.dim(axis), "select: axis {axis} has no index {index} (x {shape})");
    let mut slices = vec![Slice::from(..); axis + 1];
    slices[axis] = (index..index + 1).into();
    take("select", x, &slices).squeeze(axis)
}
