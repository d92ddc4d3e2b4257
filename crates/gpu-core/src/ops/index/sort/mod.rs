//! Order along an axis: `y[j] = x[index[j]]` with `y[0] <= y[1] <= ..` (or `>=`), equal elements in the order of their indices.
//!
//! Tiles are sorted in workgroup memory and then merged, pair by pair. Numbers are compared as PyTorch does, except that NaN comes
//! last in either direction; 0 and -0 are equal.

mod mirrors;
mod params;

use crate::base::DType;
use crate::base::Shape;
use crate::expect;
use crate::kernel::{Grid, Kernel, kernel};
use crate::tensor::Tensor;
use mirrors::{sort_bwd_x_cpu, sort_last_cpu, sort_merge_cpu, sort_tiles_cpu, sort_values_cpu};
use params::{F32, I32, Params, TILE, U32};

const WGSL: &str = wgsl!("sort.wgsl");
static SORT_TILES: Kernel = kernel!(WGSL, "sort_tiles", sort_tiles_cpu);
static SORT_MERGE: Kernel = Kernel::new_trusted(WGSL, "sort_merge", sort_merge_cpu);
static SORT_VALUES: Kernel = kernel!(WGSL, "sort_values", sort_values_cpu);
static SORT_LAST: Kernel = Kernel::new_trusted(WGSL, "sort_last", sort_last_cpu);
static SORT_BWD_X: Kernel = kernel!(WGSL, "sort_bwd_x", sort_bwd_x_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&SORT_TILES, &SORT_MERGE, &SORT_VALUES, &SORT_LAST, &SORT_BWD_X];

/// The order of the middle axis of `x` (outer, len, inner): keys and places, both (outer * inner, len), of which the first `keep`
/// of a row are in their order. The keys of u32 in ascending order are the elements themselves.
pub(super) fn order(x: &Tensor, [outer, len, inner]: [usize; 3], keep: usize, descending: bool) -> (Tensor, Tensor) {
    let p = params(x.dtype(), [outer, len, inner], keep, descending);
    let rows = outer * inner;
    let pair = || [(); 2].map(|()| Tensor::empty_of(x.device(), [rows, len], DType::U32));
    let mut sorted = pair();
    let span = len.next_power_of_two().min(TILE);
    let groups = if len > TILE { rows * len.div_ceil(TILE) } else { rows.div_ceil(TILE / span) };
    // Ten stages, in each of which an invocation searches for four elements.
    let tiles = Grid::folded(groups).trips(10 * 4 * 12 + 18);
    SORT_TILES.launch(Params { width: span as u32, ..p }, &[x], &[&sorted[0], &sorted[1]], tiles);
    let mut width = TILE;
    while width < len {
        let merged = pair();
        let grid = Grid::linear(rows * len, 256).trips(32);
        SORT_MERGE.launch(Params { width: width as u32, ..p }, &[&sorted[0], &sorted[1]], &[&merged[0], &merged[1]], grid);
        (sorted, width) = (merged, 2 * width);
    }
    let [keys, places] = sorted;
    (keys, places)
}

fn params(dtype: DType, [outer, len, inner]: [usize; 3], keep: usize, descending: bool) -> Params {
    Params {
        rows: (outer * inner) as u32,
        len: len as u32,
        inner: inner as u32,
        keep: keep as u32,
        width: 0,
        kind: match dtype {
            DType::U32 => U32,
            DType::I32 => I32,
            _ => F32,
        },
        flip: if descending { u32::MAX } else { 0 },
    }
}

/// `x` as (outer, len, inner) about an axis that it has.
#[track_caller]
fn about(op: &str, x: &Tensor, axis: usize) -> [usize; 3] {
    let shape = x.shape();
    let sortable = x.dtype() == x.device().float_dtype() || matches!(x.dtype(), DType::U32 | DType::I32);
    assert!(sortable, "{op}: x holds {}, not f32, i32 or u32 (x {shape})", x.dtype());
    assert!(axis < shape.rank(), "{op}: there is no axis {axis} (x {shape})");
    [shape.outer(axis), shape.dim(axis), shape.inner(axis + 1)]
}

/// The shape of `x` with another extent of one axis.
fn with_extent(x: Shape, axis: usize, extent: usize) -> Shape {
    let mut dims = x.dims().to_vec();
    dims[axis] = extent;
    Shape::new(&dims)
}

fn first(x: &Tensor, axis: usize, about: [usize; 3], keep: usize, descending: bool) -> (Tensor, Tensor) {
    let shape = with_extent(x.shape(), axis, keep);
    let (y, index) = (Tensor::empty_of(x.device(), shape, x.dtype()), Tensor::empty_of(x.device(), shape, DType::U32));
    if !y.is_empty() {
        let (_, places) = order(x, about, keep, descending);
        SORT_VALUES.launch(params(x.dtype(), about, keep, descending), &[x, &places], &[&y, &index], Grid::linear(y.len(), 256));
    }
    (y, index)
}

/// The elements along `axis` in ascending or descending order, and where they were (u32). Equal elements keep their order. NaN
/// comes last in either direction. Equivalent of `torch.sort(x, dim, descending, stable=True)`, which has NaN first in descending
/// order.
///
/// # Panics
/// If `x` has no such axis, or does not hold f32, i32 or u32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [4], &[3.0f32, 1.0, 2.0, 1.0]);
/// let (y, index) = ops::sort(&x, 0, false);
/// assert_eq!((y.to_vec()?, index.read::<u32>()?), (vec![1.0, 1.0, 2.0, 3.0], vec![1, 3, 2, 0]));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn sort(x: &Tensor, axis: usize, descending: bool) -> (Tensor, Tensor) {
    let about = about("sort", x, axis);
    first(x, axis, about, about[1], descending)
}

/// The indices of [`sort`] alone. Equivalent of `torch.argsort(x, dim, descending, stable=True)`.
///
/// # Panics
/// As [`sort`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [3], &[3.0f32, 1.0, 2.0]);
/// assert_eq!(ops::argsort(&x, 0, true).read::<u32>()?, [0, 2, 1]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn argsort(x: &Tensor, axis: usize, descending: bool) -> Tensor {
    let about = about("argsort", x, axis);
    first(x, axis, about, about[1], descending).1
}

/// The `k` largest (or smallest) elements along `axis`, the largest (smallest) first, and where they were (u32). Of equal ones
/// those with lower indices; a NaN only where there are fewer than `k` numbers. Equivalent of `torch.topk(x, k, dim, largest)`,
/// which counts NaN as the largest number and promises nothing of ties.
///
/// # Panics
/// As [`sort`], and if the axis has fewer than `k` elements.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 3], &[3.0f32, 1.0, 2.0, 5.0, 5.0, 6.0]);
/// let (y, index) = ops::topk(&x, 2, 1, true);
/// assert_eq!((y.to_vec()?, index.read::<u32>()?), (vec![3.0, 2.0, 6.0, 5.0], vec![0, 2, 2, 0]));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn topk(x: &Tensor, k: usize, axis: usize, largest: bool) -> (Tensor, Tensor) {
    let about = about("topk", x, axis);
    assert!(k <= about[1], "topk: axis {axis} has {} elements, not {k} (x {})", about[1], x.shape());
    first(x, axis, about, k, largest)
}

/// dX of [`sort`] or [`topk`] of an `x` of that shape: each element of `dy` goes back to where `index` says that it came from, and
/// zero goes to the others; an index past the end of the axis names no place, and of those that name one place the last counts. What PyTorch's autograd computes for `torch.sort` and `torch.topk`.
///
/// # Panics
/// If the shapes of `dy` and `index` differ, or that of `x` differs from theirs along another axis.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let dy = Tensor::from_slice(&Device::Cpu, [2], &[5.0f32, 7.0]);
/// let index = Tensor::from_slice(&Device::Cpu, [2], &[2u32, 0]);
/// assert_eq!(ops::sort_bwd_x(&dy, &index, 0, [3]).to_vec()?, [7.0, 0.0, 5.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn sort_bwd_x(dy: &Tensor, index: &Tensor, axis: usize, x: impl Into<Shape>) -> Tensor {
    const OP: &str = "sort_bwd_x";
    let x = x.into();
    expect::f32s(OP, &[("dy", dy)]);
    expect::dtype(OP, ("index", index), DType::U32);
    expect::one_device(OP, &[("dy", dy), ("index", index)]);
    expect::one_shape(OP, &[("dy", dy), ("index", index)]);
    let fits = axis < x.rank() && dy.shape().rank() == x.rank() && with_extent(x, axis, dy.shape().dim(axis)) == dy.shape();
    assert!(fits, "{OP}: dy is not of x's shape along the axes other than {axis} (dy {}, x {x})", dy.shape());
    let about = [x.outer(axis), x.dim(axis), x.inner(axis + 1)];
    if dy.is_empty() {
        return Tensor::zeros(dy.device(), x);
    }
    let (last, dx) = (Tensor::zeros_of(dy.device(), x, DType::U32), Tensor::empty(dy.device(), x));
    let p = params(DType::F32, about, dy.shape().dim(axis), false);
    SORT_LAST.launch(p, &[index], &[&last], Grid::linear(dy.len(), 256));
    SORT_BWD_X.launch(p, &[&last, dy], &[&dx], Grid::linear(dx.len(), 256));
    dx
}
