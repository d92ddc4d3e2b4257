//! Maximum and mean over windows that divide planes into a wanted number of parts, NCHW.
//!
//! Part i of n along an axis of e elements is `floor(i e / n) .. ceil((i + 1) e / n)`: parts may overlap, and there may be more of
//! them than elements. The maximum keeps where it found itself, as in `pool2d`.

mod mirrors;
mod params;

use crate::base::DType;
use crate::base::Shape;
use crate::expect;
use crate::kernel::{Grid, Kernel, kernel};
use crate::tensor::Tensor;
use mirrors::{adaptive_avg_pool2d_bwd_x_cpu, adaptive_avg_pool2d_cpu, adaptive_max_pool2d_bwd_x_cpu, adaptive_max_pool2d_cpu};
use params::Params;

const WGSL: &str = wgsl!("adaptive_pool2d.wgsl");
static AVG: Kernel = kernel!(WGSL, "adaptive_avg_pool2d", adaptive_avg_pool2d_cpu);
static AVG_WIDE: Kernel = kernel!(WGSL, "adaptive_avg_pool2d_wide", adaptive_avg_pool2d_cpu);
static AVG_BWD_X: Kernel = kernel!(WGSL, "adaptive_avg_pool2d_bwd_x", adaptive_avg_pool2d_bwd_x_cpu);
static MAX: Kernel = kernel!(WGSL, "adaptive_max_pool2d", adaptive_max_pool2d_cpu);
static MAX_WIDE: Kernel = kernel!(WGSL, "adaptive_max_pool2d_wide", adaptive_max_pool2d_cpu);
static MAX_BWD_X: Kernel = kernel!(WGSL, "adaptive_max_pool2d_bwd_x", adaptive_max_pool2d_bwd_x_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&AVG, &AVG_WIDE, &AVG_BWD_X, &MAX, &MAX_WIDE, &MAX_BWD_X];

/// Windows of over so many elements get a workgroup each.
const WIDE: usize = 128;
/// Lanes of such a workgroup.
const LANES: usize = 64;

/// The output's shape, and the parameters.
#[track_caller]
fn divide(op: &str, x: Shape, output: [usize; 2]) -> (Shape, Params) {
    assert!(x.rank() == 4, "{op}: x needs axes (n, c, h, w) (x {x}, output {output:?})");
    assert!(x.inner(2) > 0 && !output.contains(&0), "{op}: there is nothing to divide (x {x}, output {output:?})");
    let [p, q] = output;
    let countable = [(x.h(), p), (x.w(), q)].iter().all(|&(n, parts)| n.checked_mul(parts).is_some_and(|v| v <= u32::MAX as usize));
    assert!(countable, "{op}: too many parts (x {x}, output {output:?})");
    let window = longest(x.h(), p) * longest(x.w(), q);
    assert!(window <= LARGEST, "{op}: a part has {window} elements, more than {LARGEST} (x {x}, output {output:?})");
    let over_one = covering(x, output);
    assert!(
        over_one <= MOST_OVER_ONE,
        "{op}: one element is in {over_one} parts, more than {MOST_OVER_ONE} (x {x}, output {output:?})"
    );
    let [planes, h, w, p, q] = [x.n() * x.c(), x.h(), x.w(), p, q].map(|v| v as u32);
    (Shape::from([x.n(), x.c(), output[0], output[1]]), Params { planes, h, w, p, q })
}

/// The most elements of a part, and the most parts over one element: what a workgroup, and a thread, can walk in the loops that every
/// driver ends.
const LARGEST: usize = 4_000_000;
const MOST_OVER_ONE: usize = 65_000;

/// Loop iterations of a thread that walks the parts over one element.
fn covering(x: Shape, output: [usize; 2]) -> usize {
    longest(output[0], x.h()) * (longest(output[1], x.w()) + 1)
}

/// The most elements of a part.
fn longest(extent: usize, parts: usize) -> usize {
    (extent.div_ceil(parts) + 1).min(extent)
}

/// Launches the form that suits the largest window.
#[track_caller]
fn launch(narrow: &'static Kernel, wide: &'static Kernel, p: Params, x: &Tensor, outputs: &[&Tensor]) {
    let window = longest(x.shape().h(), p.p as usize) * longest(x.shape().w(), p.q as usize);
    let windows = outputs[0].len();
    match window <= WIDE {
        true => narrow.launch(p, &[x], outputs, Grid::linear(windows, 64).trips(window)),
        false => wide.launch(p, &[x], outputs, Grid::folded(windows).trips(window.div_ceil(LANES) + 6)),
    }
}

/// What `dy` has to be, and the launch of a gradient.
#[track_caller]
fn gradient(op: &str, kernel: &'static Kernel, tensors: &expect::Named<'_>, x: Shape, output: [usize; 2]) -> Tensor {
    let (shape, p) = divide(op, x, output);
    let right = tensors.iter().all(|(_, t)| t.shape() == shape);
    assert!(right, "{op}: x {x} is pooled to {shape} ({})", expect::shapes(tensors));
    let dx = Tensor::empty(tensors[0].1.device(), x);
    let trips = covering(x, output);
    let inputs: Vec<&Tensor> = tensors.iter().map(|(_, t)| *t).collect();
    kernel.launch(p, &inputs, &[&dx], Grid::linear(dx.len(), 256).trips(trips));
    dx
}

/// The two outer extents of what pooling gave.
#[track_caller]
fn output_of(op: &str, dy: &Tensor) -> [usize; 2] {
    expect::rank(op, ("dy", dy), 4..=4);
    [dy.shape().h(), dy.shape().w()]
}

/// The mean of each of `output` rows and columns of parts of `x` (N, C, H, W). Equivalent of
/// `torch.nn.functional.adaptive_avg_pool2d`.
///
/// # Panics
/// If `x` does not have four axes, an extent is zero, or `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 1, 1, 5], &[1.0f32, 2.0, 3.0, 4.0, 5.0]);
/// assert_eq!(ops::adaptive_avg_pool2d(&x, [1, 2]).to_vec()?, [2.0, 4.0]); // the third is in both parts
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn adaptive_avg_pool2d(x: &Tensor, output: [usize; 2]) -> Tensor {
    expect::f32s("adaptive_avg_pool2d", &[("x", x)]);
    let (shape, p) = divide("adaptive_avg_pool2d", x.shape(), output);
    let y = Tensor::empty(x.device(), shape);
    launch(&AVG, &AVG_WIDE, p, x, &[&y]);
    y
}

/// dX of [`adaptive_avg_pool2d`]. What PyTorch's autograd computes for it.
///
/// # Panics
/// If `dy` is not `x_shape` pooled, or does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Shape, Tensor, ops};
/// let dy = Tensor::from_slice(&Device::Cpu, [1, 1, 1, 2], &[3.0f32, 6.0]);
/// let dx = ops::adaptive_avg_pool2d_bwd_x(&dy, Shape::from([1, 1, 1, 5]));
/// assert_eq!(dx.to_vec()?, [1.0, 1.0, 3.0, 2.0, 2.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn adaptive_avg_pool2d_bwd_x(dy: &Tensor, x_shape: Shape) -> Tensor {
    const OP: &str = "adaptive_avg_pool2d_bwd_x";
    expect::f32s(OP, &[("dy", dy)]);
    gradient(OP, &AVG_BWD_X, &[("dy", dy)], x_shape, output_of(OP, dy))
}

/// The largest element of each of `output` rows and columns of parts of `x` (N, C, H, W), and where in its plane it lies (u32).
/// Equivalent of `torch.nn.functional.adaptive_max_pool2d(x, output, return_indices=True)`.
///
/// # Panics
/// As [`adaptive_avg_pool2d`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 1, 1, 5], &[1.0f32, 2.0, 9.0, 4.0, 5.0]);
/// let (y, indices) = ops::adaptive_max_pool2d(&x, [1, 2]);
/// assert_eq!((y.to_vec()?, indices.read::<u32>()?), (vec![9.0, 9.0], vec![2, 2]));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn adaptive_max_pool2d(x: &Tensor, output: [usize; 2]) -> (Tensor, Tensor) {
    expect::f32s("adaptive_max_pool2d", &[("x", x)]);
    let (shape, p) = divide("adaptive_max_pool2d", x.shape(), output);
    let (y, indices) = (Tensor::empty(x.device(), shape), Tensor::empty_of(x.device(), shape, DType::U32));
    launch(&MAX, &MAX_WIDE, p, x, &[&y, &indices]);
    (y, indices)
}

/// dX of [`adaptive_max_pool2d`]: each `dy` goes to the place of its window that `indices` names, if it names one. What PyTorch's autograd computes for it.
///
/// # Panics
/// If `dy` or `indices` are not `x_shape` pooled, or have the wrong type.
///
/// ```
/// # use gpu_core::{Device, Shape, Tensor, ops};
/// let dy = Tensor::from_slice(&Device::Cpu, [1, 1, 1, 2], &[3.0f32, 6.0]);
/// let indices = Tensor::from_slice(&Device::Cpu, [1, 1, 1, 2], &[2u32, 2]);
/// let dx = ops::adaptive_max_pool2d_bwd_x(&dy, &indices, Shape::from([1, 1, 1, 5]));
/// assert_eq!(dx.to_vec()?, [0.0, 0.0, 9.0, 0.0, 0.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn adaptive_max_pool2d_bwd_x(dy: &Tensor, indices: &Tensor, x_shape: Shape) -> Tensor {
    const OP: &str = "adaptive_max_pool2d_bwd_x";
    let tensors = [("dy", dy), ("indices", indices)];
    expect::f32s(OP, &tensors[..1]);
    expect::dtype(OP, tensors[1], DType::U32);
    expect::one_device(OP, &tensors);
    gradient(OP, &MAX_BWD_X, &tensors, x_shape, output_of(OP, dy))
}
