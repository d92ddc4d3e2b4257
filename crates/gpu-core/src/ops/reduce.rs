//! Sums and means over axes.
//!
//! Neighbouring axes that are summed are one axis, so each step is `y[o,i] = sum over j of x[o,j,i]`; several groups of axes are
//! several steps, the innermost first. A long sum is split into parts, whose sums are summed again: a fixed order on every device.

use crate::check::{self, Bound, Case};
use crate::kernel::{Args, Grid, Kernel, kernel};
use crate::mirror::{self, Real};
use crate::shape::{MAX_RANK, Shape};
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};
use rayon::prelude::*;

const WGSL: &str = include_str!("../../../../shaders/reduce.wgsl");
static REDUCE_ROWS: Kernel = kernel!(WGSL, "reduce_rows", reduce_cpu);
static REDUCE_COLUMNS: Kernel = kernel!(WGSL, "reduce_columns", reduce_cpu);
pub(super) const KERNELS: &[&Kernel] = &[&REDUCE_ROWS, &REDUCE_COLUMNS];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    outer: u32,
    len: u32,
    inner: u32,
    splits: u32,
    part: u32,
    scale: f32,
}

fn reduce_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, y): (&[T], &mut [T]) = (args.input(0), args.output(0));
    let (len, inner, splits, part) = (p.len as usize, p.inner as usize, p.splits as usize, p.part as usize);
    let scale = f64::from(p.scale);
    // One row of y: rows of x, from which to which.
    let rows = |which: usize| {
        let (start, from) = (which / splits * len, which % splits * part);
        start + from.min(len)..start + (from + part).min(len)
    };
    if inner == 1 {
        let min = (mirror::CHUNK / part).max(1);
        y.par_iter_mut().enumerate().with_min_len(min).for_each(|(which, y)| {
            *y = T::of(mirror::sum_by(&x[rows(which)], |v| v) * scale);
        });
        return;
    }
    // Columns in blocks whose sums stay in cache; a block is a task of its own where there are few rows.
    const BLOCK: usize = 1024;
    y.par_chunks_mut(inner).enumerate().for_each(|(which, y)| {
        y.par_chunks_mut(BLOCK).enumerate().for_each(|(block, y)| {
            let mut sums = [0f64; BLOCK];
            for row in rows(which) {
                let x = &x[row * inner + block * BLOCK..][..y.len()];
                sums.iter_mut().zip(x).for_each(|(sum, &v)| *sum += v.into());
            }
            y.iter_mut().zip(&sums).for_each(|(y, sum)| *y = T::of(sum * scale));
        });
    });
}

/// In how many parts to sum: enough invocations to fill a large GPU, and enough elements for each of them.
fn splits(outer: usize, len: usize, inner: usize) -> usize {
    if is_rows(len, inner) {
        1024usize.div_ceil(outer).min(len.div_ceil(4096))
    } else {
        65_536usize.div_ceil(outer * inner).min(len.div_ceil(32))
    }
}

fn is_rows(len: usize, inner: usize) -> bool {
    inner == 1 && len >= 128
}

/// `x` as (outer, len, inner), summed over its middle axis and scaled.
fn reduce(x: &Tensor, outer: usize, len: usize, inner: usize, scale: f32) -> Tensor {
    let splits = splits(outer, len, inner).max(1);
    let part = len.div_ceil(splits);
    let y = Tensor::empty(x.device(), [outer, splits, inner]);
    let last = splits == 1;
    let p = Params {
        outer: outer as u32,
        len: len as u32,
        inner: inner as u32,
        splits: splits as u32,
        part: part as u32,
        scale: if last { scale } else { 1.0 },
    };
    if is_rows(len, inner) {
        REDUCE_ROWS.launch(p, &[x], &[&y], Grid::folded(outer * splits).trips(part.div_ceil(64) + 6));
    } else {
        REDUCE_COLUMNS.launch(p, &[x], &[&y], Grid::linear(y.len(), 256).trips(part));
    }
    if last { y } else { reduce(&y, outer, splits, inner, scale) }
}

/// Sums over the axes that `summed` marks, scaled; every summed axis is left with extent 1.
fn reduce_axes(x: &Tensor, summed: [bool; MAX_RANK], scale: f32) -> Tensor {
    let shape = x.shape();
    let mut kept = shape.dims().to_vec();
    (0..shape.rank()).filter(|&axis| summed[axis]).for_each(|axis| kept[axis] = 1);
    let kept = Shape::new(&kept);
    if shape.is_empty() {
        return Tensor::zeros(x.device(), kept);
    }
    // An axis of extent 1 joins any group.
    let is_summed = |axis: usize| summed[axis] && shape.dim(axis) > 1;
    let (mut y, mut axis, mut inner) = (x.clone(), shape.rank(), 1);
    let mut groups = Vec::new();
    while axis > 0 {
        let mut len = 1;
        while axis > 0 && (is_summed(axis - 1) || shape.dim(axis - 1) == 1) {
            axis -= 1;
            len *= shape.dim(axis);
        }
        if len > 1 {
            groups.push((shape.dims()[..axis].iter().product(), len, inner));
        }
        while axis > 0 && !is_summed(axis - 1) {
            axis -= 1;
            inner *= shape.dim(axis);
        }
    }
    let count = groups.len();
    for (i, &(outer, len, inner)) in groups.iter().enumerate() {
        y = reduce(&y, outer, len, inner, if i + 1 == count { scale } else { 1.0 });
    }
    if count == 0 {
        // Nothing to sum, but the result is fresh memory all the same.
        y = reduce(x, 1, 1, x.len(), scale);
    }
    y.reshape(kept)
}

#[track_caller]
fn over_axes(op: &str, x: &Tensor, axes: &[usize], keepdim: bool, is_mean: bool) -> Tensor {
    x.expect_f32(op);
    let shape = x.shape();
    let mut summed = [false; MAX_RANK];
    for &axis in axes {
        assert!(axis < shape.rank(), "{op}: x of shape {shape} has no axis {axis} (axes {axes:?})");
        assert!(!summed[axis], "{op}: axis {axis} is named twice (axes {axes:?}, x {shape})");
        summed[axis] = true;
    }
    let count: usize = axes.iter().map(|&axis| shape.dim(axis)).product();
    assert!(!is_mean || count > 0, "{op}: the mean of no elements (axes {axes:?}, x {shape})");
    let y = reduce_axes(x, summed, if is_mean { 1.0 / count as f32 } else { 1.0 });
    let left: Vec<usize> = (0..shape.rank()).filter(|&axis| !summed[axis]).map(|axis| shape.dim(axis)).collect();
    if keepdim { y } else { y.reshape(Shape::new(&left)) }
}

const ALL_AXES: [usize; MAX_RANK] = [0, 1, 2, 3, 4, 5];

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
    over_axes("sum", x, &ALL_AXES[..x.shape().rank()], false, false)
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
    over_axes("mean", x, &ALL_AXES[..x.shape().rank()], false, true)
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
    over_axes("sum_axes", x, axes, keepdim, false)
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
    over_axes("mean_axes", x, axes, keepdim, true)
}

/// Sums `x` over the axes along which a tensor of `shape` was repeated to give that of `x`: the gradient of broadcasting.
/// Equivalent of `x.sum_to_size(shape)`; where nothing was repeated it is `x` itself, not a copy.
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
    x.expect_f32("sum_to");
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
    reduce_axes(x, summed, 1.0).reshape(to)
}

const CASES: &[(&[usize], &[usize])] = &[
    (&[], &[]),
    (&[1], &[0]),
    (&[3, 1], &[1]),
    (&[127], &[0]),
    (&[1_048_583], &[0]),
    (&[4, 5], &[1]),
    (&[70, 9], &[0]),
    (&[5, 1031], &[1]),
    (&[1031, 5], &[0]),
    (&[65_537, 3], &[0]),
    (&[2, 3, 4, 5], &[0, 2, 3]),
    (&[2, 3, 4, 5], &[1]),
    (&[3, 5, 7, 2], &[0, 2]),
    (&[2, 3, 2, 5, 2, 7], &[1, 3, 5]),
    (&[17, 13, 37, 41], &[0, 2, 3]),
    // More workgroups than fit into a row of the grid, of either kernel.
    (&[65_537, 129], &[1]),
    (&[4_194_305, 4], &[1]),
];

pub(super) fn cases() -> Vec<Case> {
    let of = |&(dims, axes): &(&[usize], &'static [usize])| {
        let (shape, what) = (Shape::new(dims), format!("{:?} over {axes:?}", Shape::new(dims)));
        let terms = axes.iter().map(|&axis| shape.dim(axis)).product::<usize>().max(1);
        [
            // Sums of small integers are exact in whatever order.
            Case::new("sum_axes", what.clone(), Bound::Exact, move |device| {
                let x = Tensor::from_slice(device, shape, &check::integers(shape.len(), 1));
                vec![sum_axes(&x, axes, false)]
            }),
            Case::new("mean_axes", what, Bound::Sum { terms, magnitude: 1.0 / terms as f32 }, move |device| {
                vec![mean_axes(&check::tensor(device, shape, 1), axes, true)]
            }),
        ]
    };
    CASES.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;

    #[test]
    fn kernels_equal_their_mirrors() {
        check::hold(&cases());
    }

    #[test]
    fn the_mirrors_are_the_formula() {
        for &(dims, axes) in &CASES[..15] {
            let x = check::tensor(&Device::Cpu, dims, 1);
            let (got, kept) = (sum_axes(&x, axes, false), sum_axes(&x, axes, true));
            let steps = kept.shape().broadcast_strides(x.shape());
            let (shape, strides) = (x.shape(), x.shape().strides());
            let mut want = vec![0f64; kept.len()];
            for (i, v) in x.to_vec().unwrap().into_iter().enumerate() {
                let at: usize = (0..shape.rank()).map(|k| i / strides[k] % shape.dim(k) * steps[k]).sum();
                want[at] += f64::from(v);
            }
            let count = (x.len() / kept.len()) as f64;
            let means = mean_axes(&x, axes, false).to_vec().unwrap();
            for ((got, mean), want) in got.to_vec().unwrap().into_iter().zip(means).zip(want) {
                assert!((f64::from(got) - want).abs() < 1e-4, "{shape} over {axes:?}: {got} is not {want}");
                assert!((f64::from(mean) - want / count).abs() < 1e-6, "{shape} over {axes:?}: {mean}");
            }
            assert_eq!(got.shape().rank(), shape.rank() - axes.len());
        }
    }

    #[test]
    fn sum_to_is_the_gradient_of_broadcasting() {
        for device in check::devices() {
            let x = Tensor::from_slice(&device, [2, 3, 2], &(1..=12).map(|v| v as f32).collect::<Vec<_>>());
            assert_eq!(sum_to(&x, [2]).to_vec().unwrap(), [36.0, 42.0]);
            assert_eq!(sum_to(&x, [1, 3, 1]).to_vec().unwrap(), [18.0, 26.0, 34.0]);
            assert_eq!(sum_to(&x, [2, 1, 1]).to_vec().unwrap(), [21.0, 57.0]);
            assert_eq!(sum_to(&x, Shape::SCALAR).item().unwrap(), 78.0);
            assert_eq!(sum_to(&x, x.shape()).len(), 12);
        }
    }

    #[test]
    fn a_sum_over_no_axes_is_a_copy_and_one_of_nothing_is_zero() {
        for device in check::devices() {
            let x = check::tensor(&device, [3, 4], 1);
            let y = sum_axes(&x, &[], false);
            assert_eq!(y.to_vec().unwrap(), x.to_vec().unwrap());
            assert!(!y.shares_storage(&x));
            assert_eq!(sum_axes(&Tensor::zeros(&device, [0, 2]), &[0], false).to_vec().unwrap(), [0.0, 0.0]);
        }
    }

    #[test]
    fn the_gradient_of_a_mean_is_the_difference_quotient() {
        let x = check::tensor(&Device::Cpu, [3, 4], 1);
        check::gradients(&[x], |t| mean(&t[0]), |_, dy| vec![Tensor::full(&Device::Cpu, [3, 4], dy.item().unwrap() / 12.0)]);
    }

    #[test]
    #[should_panic(expected = "sum_axes: x of shape [2, 3] has no axis 2")]
    fn sum_axes_names_the_shape() {
        sum_axes(&Tensor::zeros(&Device::Cpu, [2, 3]), &[0, 2], false);
    }

    #[test]
    #[should_panic(expected = "sum_axes: axis 1 is named twice")]
    fn an_axis_named_twice_is_refused() {
        sum_axes(&Tensor::zeros(&Device::Cpu, [2, 3]), &[1, 1], false);
    }

    #[test]
    #[should_panic(expected = "sum_to: [3] does not broadcast to x [2, 2]")]
    fn sum_to_names_both_shapes() {
        sum_to(&Tensor::zeros(&Device::Cpu, [2, 2]), [3]);
    }

    #[test]
    #[should_panic(expected = "mean: the mean of no elements")]
    fn the_mean_of_nothing_is_refused() {
        mean(&Tensor::zeros(&Device::Cpu, [0, 2]));
    }
}
