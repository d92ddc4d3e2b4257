//! Element by element, with NumPy's broadcasting: an extent of 1 (or one that is missing in front) repeats.
//!
//! `y[i..] = f(a[i..], b[i..], ..)` for arithmetic, comparisons, choices, and the gradients of these.

mod binary;
mod compare;
mod operands;
mod ternary;
mod where_;

pub use binary::{add, div, maximum, minimum, mul, pow, spread, sub};
pub use compare::{eq, ge, gt, le, logical_and, logical_not, logical_or, logical_xor, lt, ne};
pub use ternary::{amax_bwd_x, div_bwd_b, logsumexp_bwd_x, maximum_bwd_a, minimum_bwd_a, pow_bwd_a, pow_bwd_b, var_bwd_x};
pub use where_::where_;

use crate::expect;
use crate::kernel::{Args, Grid, Kernel, kernel};
use crate::mirror::{self, Real};
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

const WGSL: &str = wgsl!("elementwise.wgsl");
static ADD_SCALED: Kernel = kernel!(WGSL, "add_scaled", add_scaled_cpu);
static SCALE: Kernel = kernel!(WGSL, "scale", scale_cpu);
static COPY: Kernel = kernel!(WGSL, "copy", copy_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[
    &ADD_SCALED,
    &SCALE,
    &COPY,
    &binary::BINARY,
    &binary::SPREAD,
    &compare::COMPARE,
    &compare::LOGICAL_NOT,
    &ternary::TERNARY,
    &where_::WHERE,
];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    len: u32,
    factor: f32,
}

impl Params {
    fn of(x: &Tensor, factor: f32) -> Self {
        Self { len: x.len() as u32, factor }
    }
}

fn add_scaled_cpu<T: Real>(args: &mut Args<'_>) {
    let factor = T::of(args.params::<Params>().factor);
    mirror::zip_map(args.input(0), args.input(1), args.output(0), |a: T, b| a + factor * b);
}

fn scale_cpu<T: Real>(args: &mut Args<'_>) {
    let factor = T::of(args.params::<Params>().factor);
    mirror::map(args.input(0), args.output(0), |a: T| factor * a);
}

fn copy_cpu<T: Real>(args: &mut Args<'_>) {
    mirror::map(args.input(0), args.output(0), |a: T| a);
}

fn grid4(len: usize) -> Grid {
    Grid::linear(len.div_ceil(4), 256)
}

/// `factor * x`. Equivalent of `torch.mul(x, factor)`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[2.0f32, 3.0]);
/// assert_eq!(ops::scale(&x, -0.5).to_vec()?, [-1.0, -1.5]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn scale(x: &Tensor, factor: f32) -> Tensor {
    expect::f32s("scale", &[("x", x)]);
    let y = Tensor::empty(x.device(), x.shape());
    SCALE.launch(Params::of(x, factor), &[x], &[&y], grid4(x.len()));
    y
}

/// `a + factor * b` for equal shapes. Equivalent of `torch.add(a, b, alpha=factor)`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [2], &[2.0f32, 3.0]);
/// assert_eq!(ops::add_scaled(&a, &a, 10.0).to_vec()?, [22.0, 33.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn add_scaled(a: &Tensor, b: &Tensor, factor: f32) -> Tensor {
    expect::f32s("add_scaled", &[("a", a), ("b", b)]);
    expect::one_shape("add_scaled", &[("a", a), ("b", b)]);
    let y = Tensor::empty(a.device(), a.shape());
    ADD_SCALED.launch(Params::of(a, factor), &[a, b], &[&y], grid4(a.len()));
    y
}

/// Overwrites `dst` with the elements of `src`, which may have another shape of the same length. Equivalent of `dst.copy_(src)`;
/// a kernel, so it may stand inside a capture, unlike [`Tensor::write`].
/// PyTorch's `Tensor.copy_`, the other way round.
///
/// # Panics
/// If the lengths differ, a tensor does not hold f32, or both lie in one buffer.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let arena = Tensor::zeros(&Device::Cpu, [128]);
/// let src = Tensor::from_slice(&Device::Cpu, [2], &[2.0f32, 3.0]);
/// ops::copy_into(&src, &arena.view(64, [2]));
/// assert_eq!(arena.to_vec()?[63..67], [0.0, 2.0, 3.0, 0.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn copy_into(src: &Tensor, dst: &Tensor) {
    let named = [("src", src), ("dst", dst)];
    expect::f32s("copy_into", &named);
    assert!(src.len() == dst.len(), "copy_into: {} elements into {} ({})", src.len(), dst.len(), expect::shapes(&named));
    COPY.launch(Params::of(src, 1.0), &[src], &[dst], grid4(src.len()));
}
