//! Sums into the places that indices name: `y[.., index[j], ..] += x[.., j, ..]`, the gradients of [`gather`](crate::ops::gather) and
//! [`index_select`](crate::ops::index_select).
//!
//! There are no float atomics: equal indices are summed in their order. Few indices are walked by every element; many are sorted
//! first, by the kernels of [`sort`](super::sort), so that each element has one segment of the sorted list.
//!
//! An index that is not one of the axis adds nothing.

mod mirrors;
mod params;

use crate::base::DType;
use crate::base::Shape;
use crate::expect;
use crate::kernel::{Grid, Kernel, kernel};
use crate::ops::index::{gather, sort};
use crate::tensor::Tensor;
use mirrors::{scatter_blocks_cpu, scatter_few_cpu, scatter_rows_cpu, scatter_starts_cpu};
use params::Params;

const WGSL: &str = wgsl!("scatter.wgsl");
static SCATTER_FEW: Kernel = kernel!(WGSL, "scatter_few", scatter_few_cpu);
static SCATTER_STARTS: Kernel = Kernel::new_trusted(WGSL, "scatter_starts", scatter_starts_cpu);
static SCATTER_BLOCKS: Kernel = kernel!(WGSL, "scatter_blocks", scatter_blocks_cpu);
static SCATTER_ROWS: Kernel = kernel!(WGSL, "scatter_rows", scatter_rows_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&SCATTER_FEW, &SCATTER_STARTS, &SCATTER_BLOCKS, &SCATTER_ROWS];

/// So many indices are walked by every element of the result: less work than to sort them.
const FEW: usize = 32;
/// So many elements of a segment are walked without sums of blocks.
const SHORT: usize = 2048;

/// `src` (outer, len, inner) into `y` (outer, size, inner), on top of `x` or of zero; `index` is (len) or (outer, len, inner).
#[track_caller]
fn scatter(x: Option<&Tensor>, index: &Tensor, src: &Tensor, y: &Tensor, axis: usize, shared: bool) {
    let (outer, size, inner) = (y.shape().dims()[..axis].iter().product::<usize>(), y.shape().dim(axis), y.shape().inner(axis + 1));
    let len = if shared { index.len() } else { index.shape().dim(axis) };
    let lines = if shared { 1 } else { outer * inner };
    // Blocks and walks of like lengths.
    let block = if len > SHORT { len.isqrt().next_multiple_of(32) } else { SHORT };
    let p = Params {
        outer: outer as u32,
        size: size as u32,
        len: len as u32,
        inner: inner as u32,
        lines: lines as u32,
        block: block as u32,
        blocks: (len / block) as u32,
        add: u32::from(x.is_some()),
    };
    // The slot of x wants a tensor, read or not.
    let x = x.unwrap_or(src);
    let each = Grid::linear(y.len(), 256);
    if len <= FEW || y.is_empty() {
        return SCATTER_FEW.launch(p, &[x, index, src], &[y], each.trips(len));
    }
    let about = if shared { [1, len, 1] } else { [outer, len, inner] };
    let (keys, order) = sort::order(index, about, len, false);
    let starts = Tensor::empty_of(y.device(), [lines, size + 1], DType::U32);
    SCATTER_STARTS.launch(p, &[&keys], &[&starts], Grid::linear(starts.len(), 256).trips(32));
    let sums = Tensor::empty(y.device(), [outer, len / block, inner]);
    let all = Grid::linear(sums.len(), 256).trips(block);
    SCATTER_BLOCKS.launch(p, &[src, &keys, &order], &[&sums], all);
    let walk = if len / block == 0 { len } else { 2 * block + len / block };
    SCATTER_ROWS.launch(p, &[x, src, &order, &starts, &sums], &[y], each.trips(walk));
}

#[track_caller]
fn expect_indices(op: &str, axis: usize, index: &Tensor, (name, src): (&str, &Tensor), x: Shape) {
    expect::f32s(op, &[(name, src)]);
    expect::dtype(op, ("index", index), DType::U32);
    expect::one_device(op, &[("index", index), (name, src)]);
    assert!(axis < x.rank(), "{op}: there is no axis {axis} (x {x}, {})", expect::shapes(&[("index", index), (name, src)]));
}

/// `index` and `src` of one shape, which is that of `x` but along `axis`.
#[track_caller]
fn expect_each(op: &str, axis: usize, index: &Tensor, (name, src): (&str, &Tensor), x: Shape) {
    expect_indices(op, axis, index, (name, src), x);
    let of = index.shape();
    let fits = of.rank() == x.rank() && (0..x.rank()).all(|i| i == axis || of.dim(i) == x.dim(i)) && src.shape() == of;
    let shapes = expect::shapes(&[("index", index), (name, src)]);
    assert!(fits, "{op}: the shapes differ along an axis other than {axis}, or index and {name} do (x {x}, {shapes})");
}

/// `src` of the shape of `x` with the axes of `index` in place of `axis`.
#[track_caller]
fn expect_slices(op: &str, axis: usize, index: &Tensor, (name, src): (&str, &Tensor), x: Shape) {
    expect_indices(op, axis, index, (name, src), x);
    let wanted = gather::selected(op, x, axis, index);
    let shapes = expect::shapes(&[("index", index), (name, src)]);
    assert!(src.shape() == wanted, "{op}: {name} is not {wanted}, the slices along axis {axis} (x {x}, {shapes})");
}

/// `x` with `src[a,j,b]` added at `[a,index[a,j,b],b]`; `index` (u32) and `src` have one shape, which is that of `x` but along
/// `axis`. What goes to one place is added in the order of `j`. Equivalent of `torch.scatter_add(x, axis, index, src)`, with one
/// result whatever the device is doing. An index past the end of the axis adds nothing.
///
/// # Panics
/// If `x` has no such axis, the shapes differ otherwise, `index` does not hold u32, or another tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [3], &[1.0f32, 1.0, 1.0]);
/// let src = Tensor::from_slice(&Device::Cpu, [4], &[1.0f32, 2.0, 3.0, 4.0]);
/// let index = Tensor::from_slice(&Device::Cpu, [4], &[2u32, 0, 2, 2]);
/// assert_eq!(ops::scatter_add(&x, 0, &index, &src).to_vec()?, [3.0, 1.0, 9.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn scatter_add(x: &Tensor, axis: usize, index: &Tensor, src: &Tensor) -> Tensor {
    expect::f32s("scatter_add", &[("x", x), ("src", src)]);
    expect_each("scatter_add", axis, index, ("src", src), x.shape());
    let y = Tensor::empty(x.device(), x.shape());
    scatter(Some(x), index, src, &y, axis, false);
    y
}

/// `x` with the slices of `src` added to those slices of `x` along `axis` that `index` (u32, of any shape) names; `src` has the
/// axes of `index` in place of `axis`. What goes to one place is added in order. With a list that is `torch.index_add(x, axis,
/// index, src)`. An index past the end of the axis adds nothing.
///
/// # Panics
/// As [`scatter_add`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::zeros(&Device::Cpu, [2, 2]);
/// let src = Tensor::from_slice(&Device::Cpu, [3, 2], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// let index = Tensor::from_slice(&Device::Cpu, [3], &[1u32, 0, 1]);
/// assert_eq!(ops::index_add(&x, 0, &index, &src).to_vec()?, [3.0, 4.0, 6.0, 8.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn index_add(x: &Tensor, axis: usize, index: &Tensor, src: &Tensor) -> Tensor {
    expect::f32s("index_add", &[("x", x), ("src", src)]);
    expect_slices("index_add", axis, index, ("src", src), x.shape());
    let y = Tensor::empty(x.device(), x.shape());
    scatter(Some(x), index, src, &y, axis, true);
    y
}

/// dX of [`gather`](crate::ops::gather) for an `x` of that shape: [`scatter_add`] of `dy` to zeros. What PyTorch's autograd computes for
/// `torch.gather`.
///
/// # Panics
/// As [`scatter_add`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let dy = Tensor::from_slice(&Device::Cpu, [3], &[1.0f32, 2.0, 3.0]);
/// let index = Tensor::from_slice(&Device::Cpu, [3], &[1u32, 1, 0]);
/// assert_eq!(ops::gather_bwd_x(&dy, 0, &index, [2]).to_vec()?, [3.0, 3.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn gather_bwd_x(dy: &Tensor, axis: usize, index: &Tensor, x: impl Into<Shape>) -> Tensor {
    let x = x.into();
    expect_each("gather_bwd_x", axis, index, ("dy", dy), x);
    let dx = Tensor::empty(dy.device(), x);
    scatter(None, index, dy, &dx, axis, false);
    dx
}

/// dX of [`index_select`](crate::ops::index_select) for an `x` of that shape: [`index_add`] of `dy` to zeros. What PyTorch's autograd
/// computes for `torch.index_select` and `torch.nn.functional.embedding`.
///
/// # Panics
/// As [`scatter_add`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let dy = Tensor::from_slice(&Device::Cpu, [3], &[1.0f32, 2.0, 3.0]);
/// let index = Tensor::from_slice(&Device::Cpu, [3], &[1u32, 1, 0]);
/// assert_eq!(ops::index_select_bwd_x(&dy, 0, &index, [2]).to_vec()?, [3.0, 3.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn index_select_bwd_x(dy: &Tensor, axis: usize, index: &Tensor, x: impl Into<Shape>) -> Tensor {
    let x = x.into();
    expect_slices("index_select_bwd_x", axis, index, ("dy", dy), x);
    let dx = Tensor::empty(dy.device(), x);
    scatter(None, index, dy, &dx, axis, true);
    dx
}
