//! The transposed convolution: the kernels of the convolution whose gradient it is.

use super::gather::Direction;
use super::layout::Layout;
use super::{ConvTranspose2dGeometry, expect_dy, expect_forward, gather, weight_gradient};
use crate::base::Shape;
use crate::tensor::Tensor;

/// Transposed convolution: `x` is (n, c, h, w), `w` (c, k / groups, r, s), `bias` (k). The gather form: every output element adds
/// up what reaches it; of f16 as [`conv2d`](super::conv2d) is. Equivalent of `torch.nn.functional.conv_transpose2d`.
///
/// # Panics
/// If the shapes do not fit, or a tensor does not hold f32, nor `x` and `w` both f16.
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
    let out = expect_forward("conv_transpose2d", x, w, bias, g.out_shape(x.shape(), w.shape()));
    let y = Tensor::empty(x.device(), out);
    gather(&Layout::new(g.adjoint(), out, w.shape(), x.shape()), Direction::Backward, x, w, bias, &y);
    y
}

/// dx of [`conv_transpose2d`]: the plain convolution of `dy`.
///
/// # Panics
/// If the shapes do not fit, or a tensor does not hold f32, nor both f16.
///
/// ```
/// # use gpu_core::{Device, Shape, Tensor, ops};
/// let dy = Tensor::from_slice(&Device::Cpu, [1, 1, 1, 3], &[1.0f32, 2.0, 3.0]);
/// let w = Tensor::from_slice(&Device::Cpu, [1, 1, 1, 2], &[10.0f32, 1.0]);
/// let dx = ops::conv_transpose2d_bwd_x(&dy, &w, Shape::from([1, 1, 1, 2]), ops::ConvTranspose2dGeometry::default());
/// assert_eq!(dx.to_vec()?, [12.0, 23.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn conv_transpose2d_bwd_x(dy: &Tensor, w: &Tensor, x_shape: Shape, g: ConvTranspose2dGeometry) -> Tensor {
    expect_dy("conv_transpose2d_bwd_x", dy, ("w", w), g.out_shape(x_shape, w.shape()));
    let dx = Tensor::empty(dy.device(), x_shape);
    gather(&Layout::new(g.adjoint(), dy.shape(), w.shape(), x_shape), Direction::Forward, dy, w, None, &dx);
    dx
}

/// dw of [`conv_transpose2d`]: the convolution's weight gradient with `x` and `dy` in each other's place.
///
/// # Panics
/// If the shapes do not fit, or a tensor does not hold f32, nor both f16.
///
/// ```
/// # use gpu_core::{Device, Shape, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 1, 1, 2], &[10.0f32, 1.0]);
/// let dy = Tensor::from_slice(&Device::Cpu, [1, 1, 1, 3], &[1.0f32, 2.0, 3.0]);
/// let dw = ops::conv_transpose2d_bwd_w(&x, &dy, Shape::from([1, 1, 1, 2]), ops::ConvTranspose2dGeometry::default());
/// assert_eq!(dw.to_vec()?, [12.0, 23.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn conv_transpose2d_bwd_w(x: &Tensor, dy: &Tensor, w_shape: Shape, g: ConvTranspose2dGeometry) -> Tensor {
    expect_dy("conv_transpose2d_bwd_w", dy, ("x", x), g.out_shape(x.shape(), w_shape));
    let dw = Tensor::empty(x.device(), w_shape);
    weight_gradient(&Layout::new(g.adjoint(), dy.shape(), w_shape, x.shape()), dy, x, &dw);
    dw
}
