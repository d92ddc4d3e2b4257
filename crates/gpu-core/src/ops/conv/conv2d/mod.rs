//! 2-D convolution and transposed convolution, NCHW input, OIHW weights, with groups, and all gradients.
//!
//! `y[n,k,p,q] = sum over c,r,s of x[n, c, p stride + r dilation - padding, ..] w[k,c,r,s]`
//!
//! Four ways to compute it, chosen by a pure function of the shapes and the adapter: implicit matrix products that gather the
//! columns while loading (`gather`, `weight`), explicit columns (`im2col`), and depthwise kernels. A transposed convolution is the
//! convolution's input gradient, and its gradients are the convolution and its weight gradient: no kernel is written twice.

mod depthwise;
pub(in crate::ops) mod forms;
mod gather;
mod geometry;
pub(in crate::ops) mod half;
mod im2col;
pub(in crate::ops) mod layout;
mod mirrors;
mod padding;
#[cfg(test)]
mod tests;
mod transposed;
mod weight;
mod wide;

pub use geometry::{
    Conv1dGeometry, Conv2dGeometry, ConvGeometry, ConvTranspose1dGeometry, ConvTranspose2dGeometry, ConvTransposeGeometry,
};
pub use padding::Padding;
pub use transposed::{conv_transpose2d, conv_transpose2d_bwd_w, conv_transpose2d_bwd_x};

use crate::base::{DType, Shape};
use crate::expect;
use crate::kernel::Kernel;
use crate::tensor::Tensor;
use gather::Direction;
use layout::{Form, Layout};

/// Every kernel of this folder.
pub(in crate::ops) fn kernels() -> Vec<&'static Kernel> {
    [gather::KERNELS, half::KERNELS, wide::KERNELS, weight::KERNELS, im2col::KERNELS, depthwise::KERNELS].concat()
}

/// How a convolution is computed; [`ConvAlgorithm::Auto`] is right unless you measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConvAlgorithm {
    /// The depthwise kernels where they fit, the implicit product elsewhere: measured faster than explicit columns on every
    /// shape of the zoo, and without their memory.
    #[default]
    Auto,
    /// Columns in memory and a plain matrix product; where the columns are over the budget, or there are groups or a bias, as
    /// `Auto`.
    Im2col,
}

/// What a forward pass expects of its tensors, given the output's shape.
#[track_caller]
fn expect_forward(op: &str, x: &Tensor, w: &Tensor, bias: Option<&Tensor>, out: Result<Shape, String>) -> Shape {
    expect::f32s_or_halves(op, &[("x", x), ("w", w)]);
    let out = expect::fits(op, out);
    if let Some(b) = bias {
        expect::f32s(op, &[("bias", b)]);
        expect::one_device(op, &[("x", x), ("bias", b)]);
        let channels = out.c();
        let shapes = expect::shapes(&[("x", x), ("w", w), ("bias", b)]);
        assert!(b.shape() == Shape::from([channels]), "{op}: the bias does not fit {channels} output channels ({shapes})");
    }
    out
}

/// What a gradient expects of `dy`, given the shape of what it is the gradient of.
#[track_caller]
fn expect_dy(op: &str, dy: &Tensor, other: (&str, &Tensor), out: Result<Shape, String>) {
    expect::f32s_or_halves(op, &[("dy", dy), other]);
    let out = expect::fits(op, out);
    assert!(dy.shape() == out, "{op}: dy should be {out} ({})", expect::shapes(&[("dy", dy), other]));
}

/// Gathers `to` from `from` by the kernels that fit best.
#[track_caller]
fn gather(l: &Layout, direction: Direction, from: &Tensor, w: &Tensor, bias: Option<&Tensor>, to: &Tensor) {
    if from.dtype() == DType::F16 {
        return half::launch(l, direction, half::Form::choose(to.device()), from, w, bias, to);
    }
    let work = to.device().work();
    let has_own = |trips: usize| l.is_depthwise() && work.can_loop(trips);
    match direction {
        Direction::Forward if has_own(depthwise::forward_trips(l)) => depthwise::forward(l, from, w, bias, to),
        Direction::Backward if has_own(depthwise::backward_x_trips(l)) => depthwise::backward_x(l, from, w, bias, to),
        Direction::Backward if im2col::suits_backward_x(l, work) => im2col::backward_x(l, from, w, bias, to),
        _ if gather::is_long(l, direction, work) && wide::suits(l, direction) => wide::launch(l, direction, from, w, bias, to),
        _ => gather::launch(l, direction, gather::form(l, direction, work), from, w, bias, to),
    }
}

/// The weight gradient by the kernels that fit best.
#[track_caller]
fn weight_gradient(l: &Layout, x: &Tensor, dy: &Tensor, dw: &Tensor) {
    if x.dtype() == DType::F16 {
        return half::launch_weight(l, half::Form::choose(dw.device()), x, dy, dw);
    }
    let work = dw.device().work();
    match Form::choose(l, work) {
        _ if l.is_depthwise() && depthwise::fits(l) => depthwise::backward_w(l, x, dy, dw),
        form if weight::is_long(l, form, work) => wide::backward_w(l, x, dy, dw),
        form => weight::launch(l, form, x, dy, dw),
    }
}

/// Convolution (a cross-correlation: the filter is not flipped). `x` is (n, c, h, w), `w` (k, c / groups, r, s), `bias` (k); gives
/// (n, k, p, q). Equivalent of `torch.nn.functional.conv2d`.
///
/// Where `x` and `w` are f16 their products are added up in f32, by matrix units where the GPU has them, and `y` is f32, as `bias` is.
///
/// # Panics
/// If the shapes do not fit, with both of them, or a tensor does not hold f32, nor both f16.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 1, 2, 2], &[1.0f32, 2.0, 3.0, 4.0]);
/// let w = Tensor::from_slice(&Device::Cpu, [1, 1, 2, 2], &[1.0f32, 0.0, 0.0, 1.0]);
/// let y = ops::conv2d(&x, &w, None, ops::Conv2dGeometry::default());
/// assert_eq!(y.to_vec()?, [5.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn conv2d(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, g: Conv2dGeometry) -> Tensor {
    forward("conv2d", ConvAlgorithm::Auto, x, w, bias, g)
}

/// [`conv2d`] by a given algorithm. Equivalent of `torch.nn.functional.conv2d`.
///
/// # Panics
/// As [`conv2d`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let (x, w) = (Tensor::full(&Device::Cpu, [1, 1, 2, 2], 3.0), Tensor::full(&Device::Cpu, [1, 1, 2, 2], 2.0));
/// let y = ops::conv2d_by(ops::ConvAlgorithm::Im2col, &x, &w, None, ops::Conv2dGeometry::default());
/// assert_eq!(y.to_vec()?, [24.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn conv2d_by(algorithm: ConvAlgorithm, x: &Tensor, w: &Tensor, bias: Option<&Tensor>, g: Conv2dGeometry) -> Tensor {
    forward("conv2d_by", algorithm, x, w, bias, g)
}

#[track_caller]
fn forward(op: &str, algorithm: ConvAlgorithm, x: &Tensor, w: &Tensor, bias: Option<&Tensor>, g: Conv2dGeometry) -> Tensor {
    let out = expect_forward(op, x, w, bias, g.out_shape(x.shape(), w.shape()));
    let l = Layout::new(g, x.shape(), w.shape(), out);
    let y = Tensor::empty(x.device(), out);
    match algorithm == ConvAlgorithm::Im2col && im2col::fits(&l) && bias.is_none() && x.dtype() != DType::F16 {
        true => im2col::forward(&l, x, w, &y),
        false => gather(&l, Direction::Forward, x, w, bias, &y),
    }
    y
}

/// dx of [`conv2d`]: `dy` is (n, k, p, q), `w` as in the forward pass; gives `x_shape`, f32 where both are f16 too.
///
/// # Panics
/// If the shapes do not fit, or a tensor does not hold f32, nor both f16.
///
/// ```
/// # use gpu_core::{Device, Shape, Tensor, ops};
/// let dy = Tensor::full(&Device::Cpu, [1, 1, 1, 1], 2.0);
/// let w = Tensor::from_slice(&Device::Cpu, [1, 1, 1, 2], &[3.0f32, 4.0]);
/// let dx = ops::conv2d_bwd_x(&dy, &w, Shape::from([1, 1, 1, 2]), ops::Conv2dGeometry::default());
/// assert_eq!(dx.to_vec()?, [6.0, 8.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn conv2d_bwd_x(dy: &Tensor, w: &Tensor, x_shape: Shape, g: Conv2dGeometry) -> Tensor {
    backward_x("conv2d_bwd_x", ConvAlgorithm::Auto, dy, w, x_shape, g)
}

/// [`conv2d_bwd_x`] by a given algorithm.
///
/// # Panics
/// As [`conv2d_bwd_x`].
///
/// ```
/// # use gpu_core::{Device, Shape, Tensor, ops};
/// let (dy, w) = (Tensor::full(&Device::Cpu, [1, 1, 1, 1], 2.0), Tensor::full(&Device::Cpu, [1, 1, 1, 2], 3.0));
/// let g = ops::Conv2dGeometry::default();
/// let dx = ops::conv2d_bwd_x_by(ops::ConvAlgorithm::Im2col, &dy, &w, Shape::from([1, 1, 1, 2]), g);
/// assert_eq!(dx.to_vec()?, [6.0, 6.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn conv2d_bwd_x_by(algorithm: ConvAlgorithm, dy: &Tensor, w: &Tensor, x_shape: Shape, g: Conv2dGeometry) -> Tensor {
    backward_x("conv2d_bwd_x_by", algorithm, dy, w, x_shape, g)
}

#[track_caller]
fn backward_x(op: &str, algorithm: ConvAlgorithm, dy: &Tensor, w: &Tensor, x_shape: Shape, g: Conv2dGeometry) -> Tensor {
    expect_dy(op, dy, ("w", w), g.out_shape(x_shape, w.shape()));
    let l = Layout::new(g, x_shape, w.shape(), dy.shape());
    let dx = Tensor::empty(dy.device(), x_shape);
    match algorithm == ConvAlgorithm::Im2col && im2col::fits(&l) && dy.dtype() != DType::F16 {
        true => im2col::backward_x(&l, dy, w, None, &dx),
        false => gather(&l, Direction::Backward, dy, w, None, &dx),
    }
    dx
}

/// dw of [`conv2d`]: `x` (n, c, h, w) and `dy` (n, k, p, q); gives `w_shape`, f32 where both are f16 too.
///
/// # Panics
/// If the shapes do not fit, or a tensor does not hold f32, nor both f16.
///
/// ```
/// # use gpu_core::{Device, Shape, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 1, 1, 2], &[3.0f32, 4.0]);
/// let dy = Tensor::full(&Device::Cpu, [1, 1, 1, 1], 2.0);
/// let dw = ops::conv2d_bwd_w(&x, &dy, Shape::from([1, 1, 1, 2]), ops::Conv2dGeometry::default());
/// assert_eq!(dw.to_vec()?, [6.0, 8.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn conv2d_bwd_w(x: &Tensor, dy: &Tensor, w_shape: Shape, g: Conv2dGeometry) -> Tensor {
    backward_w("conv2d_bwd_w", ConvAlgorithm::Auto, x, dy, w_shape, g)
}

/// [`conv2d_bwd_w`] by a given algorithm.
///
/// # Panics
/// As [`conv2d_bwd_w`].
///
/// ```
/// # use gpu_core::{Device, Shape, Tensor, ops};
/// let (x, dy) = (Tensor::full(&Device::Cpu, [1, 1, 1, 2], 3.0), Tensor::full(&Device::Cpu, [1, 1, 1, 1], 2.0));
/// let g = ops::Conv2dGeometry::default();
/// let dw = ops::conv2d_bwd_w_by(ops::ConvAlgorithm::Im2col, &x, &dy, Shape::from([1, 1, 1, 2]), g);
/// assert_eq!(dw.to_vec()?, [6.0, 6.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn conv2d_bwd_w_by(algorithm: ConvAlgorithm, x: &Tensor, dy: &Tensor, w_shape: Shape, g: Conv2dGeometry) -> Tensor {
    backward_w("conv2d_bwd_w_by", algorithm, x, dy, w_shape, g)
}

#[track_caller]
fn backward_w(op: &str, algorithm: ConvAlgorithm, x: &Tensor, dy: &Tensor, w_shape: Shape, g: Conv2dGeometry) -> Tensor {
    expect_dy(op, dy, ("x", x), g.out_shape(x.shape(), w_shape));
    let l = Layout::new(g, x.shape(), w_shape, dy.shape());
    let dw = Tensor::empty(x.device(), w_shape);
    match algorithm == ConvAlgorithm::Im2col && im2col::fits(&l) && x.dtype() != DType::F16 {
        true => im2col::backward_w(&l, x, dy, &dw),
        false => weight_gradient(&l, x, dy, &dw),
    }
    dw
}
