//! 2-D convolution and transposed convolution, NCHW input, OIHW weights, with groups, and both gradients.
//!
//! `y[n,k,p,q] = sum over c,r,s of x[n, c, p stride + r dilation - padding, ..] w[k,c,r,s]`
//!
//! Four ways to compute it, chosen by a pure function of the shapes and the adapter: implicit matrix products that gather the
//! columns while loading (`gather`, `weight`), explicit columns (`im2col`), and depthwise kernels. A transposed convolution is the
//! convolution's input gradient, and its gradients are the convolution and its weight gradient: no kernel is written twice.

mod cases;
mod depthwise;
mod gather;
mod geometry;
mod im2col;
mod mirror;
#[cfg(test)]
mod tests;
mod weight;

pub(super) use cases::cases;
pub use geometry::{Conv2dGeometry, ConvTranspose2dGeometry};

use crate::kernel::Kernel;
use crate::shape::Shape;
use crate::tensor::Tensor;
use gather::Direction;
use geometry::{Form, Layout};

/// Every kernel of this folder.
pub(super) fn kernels() -> Vec<&'static Kernel> {
    [gather::KERNELS, weight::KERNELS, im2col::KERNELS, depthwise::KERNELS].concat()
}

/// How a convolution is computed; [`ConvAlgorithm::Auto`] is right unless you measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConvAlgorithm {
    /// The depthwise kernels where they fit, the implicit product elsewhere: measured faster than explicit columns on every
    /// shape of the zoo, and without their memory.
    #[default]
    Auto,
    /// Columns in memory and a plain matrix product; where the columns are over the budget or there are groups, as `Auto`.
    Im2col,
}

#[track_caller]
fn expect_shape(op: &str, what: &str, got: Shape, want: Shape) {
    assert!(got == want, "{op}: {what} is {got}, it should be {want}");
}

#[track_caller]
fn expect_bias(op: &str, bias: Option<&Tensor>, channels: usize) {
    if let Some(b) = bias {
        assert!(b.shape() == Shape::from([channels]), "{op}: the bias is {}, there are {channels} output channels", b.shape());
    }
}

#[track_caller]
fn fit(op: &str, shape: Result<Shape, String>) -> Shape {
    shape.unwrap_or_else(|why| panic!("{op}: {why}"))
}

/// Convolution (a cross-correlation: the filter is not flipped). `x` is (n, c, h, w), `w` (k, c / groups, r, s), `bias` (k); gives
/// (n, k, p, q). Equivalent of `torch.nn.functional.conv2d`.
///
/// # Panics
/// If the shapes do not fit, with both of them.
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
    conv2d_by(ConvAlgorithm::Auto, x, w, bias, g)
}

/// [`conv2d`] by a given algorithm.
///
/// # Panics
/// As [`conv2d`].
#[track_caller]
pub fn conv2d_by(algorithm: ConvAlgorithm, x: &Tensor, w: &Tensor, bias: Option<&Tensor>, g: Conv2dGeometry) -> Tensor {
    let out = fit("conv2d", g.out_shape(x.shape(), w.shape()));
    expect_bias("conv2d", bias, out.c());
    let l = Layout::new(g, x.shape(), w.shape(), out);
    let y = Tensor::empty(x.device(), out);
    if algorithm == ConvAlgorithm::Im2col && im2col::fits(&l) && bias.is_none() {
        im2col::forward(&l, x, w, &y);
    } else if g.is_depthwise(x.shape()) {
        depthwise::forward(&l, x, w, bias, &y);
    } else {
        let form = Form::choose(&l, x.device().prefers_registers());
        gather::launch(&l, Direction::Forward, form, x, w, bias, &y);
    }
    y
}

/// dx of [`conv2d`]: `dy` is (n, k, p, q), `w` as in the forward pass; gives `x_shape`.
///
/// # Panics
/// If the shapes do not fit.
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
    conv2d_bwd_x_by(ConvAlgorithm::Auto, dy, w, x_shape, g)
}

/// [`conv2d_bwd_x`] by a given algorithm.
///
/// # Panics
/// As [`conv2d_bwd_x`].
#[track_caller]
pub fn conv2d_bwd_x_by(algorithm: ConvAlgorithm, dy: &Tensor, w: &Tensor, x_shape: Shape, g: Conv2dGeometry) -> Tensor {
    let out = fit("conv2d_bwd_x", g.out_shape(x_shape, w.shape()));
    expect_shape("conv2d_bwd_x", "dy", dy.shape(), out);
    let l = Layout::new(g, x_shape, w.shape(), out);
    let dx = Tensor::empty(dy.device(), x_shape);
    if algorithm == ConvAlgorithm::Im2col && im2col::fits(&l) {
        im2col::backward_x(&l, dy, w, &dx);
    } else if g.is_depthwise(x_shape) {
        depthwise::backward_x(&l, dy, w, &dx);
    } else {
        let form = Form::choose(&l, dy.device().prefers_registers());
        gather::launch(&l, Direction::Backward, form, dy, w, None, &dx);
    }
    dx
}

/// dw of [`conv2d`]: `x` (n, c, h, w) and `dy` (n, k, p, q); gives `w_shape`.
///
/// # Panics
/// If the shapes do not fit.
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
    conv2d_bwd_w_by(ConvAlgorithm::Auto, x, dy, w_shape, g)
}

/// [`conv2d_bwd_w`] by a given algorithm.
///
/// # Panics
/// As [`conv2d_bwd_w`].
#[track_caller]
pub fn conv2d_bwd_w_by(algorithm: ConvAlgorithm, x: &Tensor, dy: &Tensor, w_shape: Shape, g: Conv2dGeometry) -> Tensor {
    let out = fit("conv2d_bwd_w", g.out_shape(x.shape(), w_shape));
    expect_shape("conv2d_bwd_w", "dy", dy.shape(), out);
    let l = Layout::new(g, x.shape(), w_shape, out);
    let dw = Tensor::empty(x.device(), w_shape);
    if algorithm == ConvAlgorithm::Im2col && im2col::fits(&l) {
        im2col::backward_w(&l, x, dy, &dw);
    } else if g.is_depthwise(x.shape()) && depthwise::fits(&l) {
        depthwise::backward_w(&l, x, dy, &dw);
    } else {
        weight::launch(&l, Form::choose(&l, x.device().prefers_registers()), x, dy, &dw);
    }
    dw
}

/// Transposed convolution: `x` is (n, c, h, w), `w` (c, k / groups, r, s), `bias` (k). The gather form: every output element adds
/// up what reaches it. Equivalent of `torch.nn.functional.conv_transpose2d`.
///
/// # Panics
/// If the shapes do not fit.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 1, 2, 2], &[-1.0f32, 2.0, 3.0, 1.0]);
/// let w = Tensor::from_slice(&Device::Cpu, [1, 1, 2, 2], &[1.0f32, -1.0, 0.0, 1.0]);
/// let y = ops::conv_transpose2d(&x, &w, None, ops::ConvTranspose2dGeometry::default());
/// assert_eq!(y.to_vec()?, [-1.0, 3.0, -2.0, 3.0, -3.0, 1.0, 0.0, 3.0, 1.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn conv_transpose2d(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, g: ConvTranspose2dGeometry) -> Tensor {
    let out = fit("conv_transpose2d", g.out_shape(x.shape(), w.shape()));
    expect_bias("conv_transpose2d", bias, out.c());
    let l = Layout::new(g.adjoint(), out, w.shape(), x.shape());
    let y = Tensor::empty(x.device(), out);
    let form = Form::choose(&l, x.device().prefers_registers());
    gather::launch(&l, Direction::Backward, form, x, w, bias, &y);
    y
}

/// dx of [`conv_transpose2d`]: the plain convolution of `dy`.
///
/// # Panics
/// If the shapes do not fit.
#[track_caller]
pub fn conv_transpose2d_bwd_x(dy: &Tensor, w: &Tensor, x_shape: Shape, g: ConvTranspose2dGeometry) -> Tensor {
    expect_shape("conv_transpose2d_bwd_x", "dy", dy.shape(), fit("conv_transpose2d_bwd_x", g.out_shape(x_shape, w.shape())));
    let l = Layout::new(g.adjoint(), dy.shape(), w.shape(), x_shape);
    let dx = Tensor::empty(dy.device(), x_shape);
    gather::launch(&l, Direction::Forward, Form::choose(&l, dy.device().prefers_registers()), dy, w, None, &dx);
    dx
}

/// dw of [`conv_transpose2d`]: the convolution's weight gradient with `x` and `dy` in each other's place.
///
/// # Panics
/// If the shapes do not fit.
#[track_caller]
pub fn conv_transpose2d_bwd_w(x: &Tensor, dy: &Tensor, w_shape: Shape, g: ConvTranspose2dGeometry) -> Tensor {
    expect_shape("conv_transpose2d_bwd_w", "dy", dy.shape(), fit("conv_transpose2d_bwd_w", g.out_shape(x.shape(), w_shape)));
    let l = Layout::new(g.adjoint(), dy.shape(), w_shape, x.shape());
    let dw = Tensor::empty(x.device(), w_shape);
    weight::launch(&l, Form::choose(&l, x.device().prefers_registers()), dy, x, &dw);
    dw
}
