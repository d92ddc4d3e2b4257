//! Elements picked by indices along an axis: `y[.., j, ..] = x[.., index[j], ..]`, with one index list for all lines
//! (`index_select`: an embedding) or one for each (`gather`); and `one_hot`, their matrix.
//!
//! An index that is not one of the axis reads nothing and gives NaN (integers: zero).

use crate::base::DType;
use crate::base::{MAX_RANK, Shape};
use crate::expect;
use crate::kernel::{Args, Grid, Kernel, kernel};
use crate::mirror::{self, CHUNK, Real};
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

const WGSL: &str = wgsl!("gather.wgsl");
static GATHER: Kernel = kernel!(WGSL, "gather", gather_cpu);
static INDEX_SELECT: Kernel = kernel!(WGSL, "index_select", index_select_cpu);
static INDEX_SELECT4: Kernel = kernel!(WGSL, "index_select4", index_select_cpu);
static ONE_HOT: Kernel = kernel!(WGSL, "one_hot", one_hot_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&GATHER, &INDEX_SELECT, &INDEX_SELECT4, &ONE_HOT];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    elements: u32,
    size: u32,
    len: u32,
    inner: u32,
    outside: u32,
}

impl Params {
    /// What an index gives that is not one of the axis.
    fn outside<T: Real>(&self) -> T {
        if self.outside == 0 { T::zero() } else { T::nan() }
    }
}

fn gather_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, index, y): (&[T], &[u32], &mut [T]) = (args.input(0), args.input(1), args.output(0));
    let (size, len, inner) = (p.size as usize, p.len as usize, p.inner as usize);
    let plane = len * inner;
    mirror::for_each_piece(y, CHUNK, plane, |at, y| {
        let (x, mut column) = (&x[at / plane * size * inner..][..size * inner], at % inner);
        for (y, &place) in y.iter_mut().zip(&index[at..]) {
            *y = if place < p.size { x[place as usize * inner + column] } else { p.outside() };
            column = if column + 1 == inner { 0 } else { column + 1 };
        }
    });
}

fn index_select_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, index, y): (&[T], &[u32], &mut [T]) = (args.input(0), args.input(1), args.output(0));
    let (size, len, inner) = (p.size as usize, p.len as usize, p.inner as usize);
    mirror::for_each_plane(y, inner, |row, y| {
        let place = index[row % len];
        match place < p.size {
            true => y.copy_from_slice(&x[(row / len * size + place as usize) * inner..][..inner]),
            false => y.fill(p.outside()),
        }
    });
}

fn one_hot_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (labels, y): (&[u32], &mut [T]) = (args.input(0), args.output(0));
    mirror::for_each_plane(y, p.size as usize, |row, y| {
        y.fill(T::zero());
        if let Some(hot) = y.get_mut(labels[row] as usize) {
            *hot = T::one();
        }
    });
}

/// What both expect: a word an element, indices in u32, an axis that there is.
#[track_caller]
fn expect_indices(op: &str, x: &Tensor, axis: usize, index: &Tensor) {
    let movable = x.dtype() == x.device().float_dtype() || matches!(x.dtype(), DType::F32 | DType::I32 | DType::U32);
    let shapes = expect::shapes(&[("x", x), ("index", index)]);
    assert!(movable, "{op}: x holds {}, not f32, i32 or u32 ({shapes})", x.dtype());
    expect::dtype(op, ("index", index), DType::U32);
    expect::one_device(op, &[("x", x), ("index", index)]);
    assert!(axis < x.shape().rank(), "{op}: x has no axis {axis} ({shapes})");
}

fn params(x: &Tensor, axis: usize, len: usize, y: &Tensor) -> Params {
    // The bits of NaN; integers have none.
    let outside = if x.dtype().is_float() { f32::NAN.to_bits() } else { 0 };
    let (size, inner) = (x.shape().dim(axis) as u32, x.shape().inner(axis + 1) as u32);
    Params { elements: y.len() as u32, size, len: len as u32, inner, outside }
}

/// `y[a,j,b] = x[a,index[a,j,b],b]`: `index` (u32) has the shape of `x` but along `axis`, and so has `y`. Equivalent of
/// `torch.gather(x, axis, index)`. An index past the end of the axis gives NaN (0 for integers).
///
/// # Panics
/// If `x` has no such axis, the shapes differ along another one, `index` does not hold u32, or `x` does not hold f32, i32 or
/// u32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 3], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// let labels = Tensor::from_slice(&Device::Cpu, [2, 1], &[2u32, 0]);
/// assert_eq!(ops::gather(&x, 1, &labels).to_vec()?, [3.0, 4.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn gather(x: &Tensor, axis: usize, index: &Tensor) -> Tensor {
    expect_indices("gather", x, axis, index);
    let (from, to) = (x.shape(), index.shape());
    let fits = from.rank() == to.rank() && (0..from.rank()).all(|i| i == axis || from.dim(i) == to.dim(i));
    let shapes = expect::shapes(&[("x", x), ("index", index)]);
    assert!(fits, "gather: the shapes differ along an axis other than {axis} ({shapes})");
    let y = Tensor::empty_of(x.device(), to, x.dtype());
    GATHER.launch(params(x, axis, to.dim(axis), &y), &[x, index], &[&y], Grid::linear(y.len(), 256));
    y
}

/// The slices of `x` along `axis` that `index` (u32, of any shape) names; the axis gives way to those of `index`. With a list that
/// is `torch.index_select(x, axis, index)`, and along axis 0 `torch.nn.functional.embedding(index, x)`. An index past the end of
/// the axis gives NaN (0 for integers).
///
/// # Panics
/// If `x` has no such axis, the result would have more than six axes, `index` does not hold u32, or `x` does not hold f32, i32 or
/// u32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let words = Tensor::from_slice(&Device::Cpu, [3, 2], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// let text = Tensor::from_slice(&Device::Cpu, [1, 2], &[2u32, 0]);
/// let y = ops::index_select(&words, 0, &text);
/// assert_eq!((y.shape().dims(), y.to_vec()?), (&[1, 2, 2][..], vec![5.0, 6.0, 1.0, 2.0]));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn index_select(x: &Tensor, axis: usize, index: &Tensor) -> Tensor {
    expect_indices("index_select", x, axis, index);
    let y = Tensor::empty_of(x.device(), selected("index_select", x.shape(), axis, index), x.dtype());
    let p = params(x, axis, index.len(), &y);
    match p.inner.is_multiple_of(4) {
        true => INDEX_SELECT4.launch(p, &[x, index], &[&y], Grid::linear(y.len() / 4, 256)),
        false => INDEX_SELECT.launch(p, &[x, index], &[&y], Grid::linear(y.len(), 256)),
    }
    y
}

/// The shape of `x` with the axes of `index` in place of one.
#[track_caller]
pub(super) fn selected(op: &str, x: Shape, axis: usize, index: &Tensor) -> Shape {
    let (before, after) = x.dims().split_at(axis);
    let dims = [before, index.shape().dims(), &after[1..]].concat();
    assert!(dims.len() <= MAX_RANK, "{op}: rank {} is over {MAX_RANK} (x {x}, index {})", dims.len(), index.shape());
    Shape::new(&dims)
}

/// A row for each label (u32) with 1 at the label and 0 elsewhere, in f32: (..) gives (.., classes). Equivalent of
/// `torch.nn.functional.one_hot(labels, classes).float()`. The row of a label past the end is zero.
///
/// # Panics
/// If `labels` does not hold u32 or is of rank 6.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let labels = Tensor::from_slice(&Device::Cpu, [2], &[2u32, 0]);
/// assert_eq!(ops::one_hot(&labels, 3).to_vec()?, [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn one_hot(labels: &Tensor, classes: usize) -> Tensor {
    expect::dtype("one_hot", ("labels", labels), DType::U32);
    expect::rank("one_hot", ("labels", labels), 0..=MAX_RANK - 1);
    let dims = [labels.shape().dims(), &[classes]].concat();
    let y = Tensor::empty(labels.device(), dims.as_slice());
    let p = Params { elements: y.len() as u32, size: classes as u32, len: labels.len() as u32, inner: 1, outside: 0 };
    ONE_HOT.launch(p, &[labels], &[&y], Grid::linear(y.len(), 256));
    y
}
