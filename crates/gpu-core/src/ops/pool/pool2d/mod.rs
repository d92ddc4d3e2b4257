//! Maximum and mean over windows of planes, NCHW.
//!
//! `y[n,c,p,q] = max (or mean) over r,s of x[n, c, p * stride + r * dilation - padding, q * stride + s * dilation - padding]`
//!
//! The maximum keeps where it found itself (u32, the place in the plane): its gradient then reads two small tensors instead of
//! searching `x` again, and `x` may be freed.

pub mod forms;
mod geometry;
mod mirrors;
mod params;
#[cfg(test)]
mod tests;

pub use geometry::{Divisor, Pool1dGeometry, Pool2dGeometry, PoolGeometry};

use crate::base::DType;
use crate::base::Shape;
use crate::expect;
use crate::tensor::Tensor;
use forms::Form;

pub(in crate::ops) use forms::KERNELS;

/// The shape that `dy` has to have.
#[track_caller]
fn expect_pooled(op: &str, g: Pool2dGeometry, x: Shape, tensors: &expect::Named<'_>) -> Shape {
    let y = expect::fits(op, g.out_shape(x));
    for (name, t) in tensors {
        assert!(t.shape() == y, "{op}: x {x} is pooled to {y}, {name} is not ({})", expect::shapes(tensors));
    }
    y
}

/// The largest element of each window of `x` (N, C, H, W), and where in its plane it lies (u32, `row * W + column`).
/// Equivalent of `torch.nn.functional.max_pool2d(x, .., return_indices=True)`: the first maximum wins, padding never does, and a
/// NaN counts as the largest.
///
/// # Panics
/// If no window fits ([`Pool2dGeometry::out_shape`] says why), or `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 1, 2, 4], &[1.0f32, 5.0, 2.0, 7.0, 3.0, 4.0, 7.0, 6.0]);
/// let (y, indices) = ops::max_pool2d(&x, ops::Pool2dGeometry::new([2, 2]));
/// assert_eq!(y.to_vec()?, [5.0, 7.0]);
/// assert_eq!(indices.read::<u32>()?, [1, 3]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn max_pool2d(x: &Tensor, g: Pool2dGeometry) -> (Tensor, Tensor) {
    expect::f32s("max_pool2d", &[("x", x)]);
    let shape = expect::fits("max_pool2d", g.out_shape(x.shape()));
    forms::max_pool2d(Form::forward(g, x.shape(), shape, x.device().work()), x, g, shape)
}

/// dX of [`max_pool2d`]: each `dy` goes to the place that `indices` names, and nowhere where that does not lie between the
/// first and the last element of its window. What PyTorch's autograd computes for `max_pool2d`.
///
/// # Panics
/// If `dy` or `indices` do not have the shape of the pooled `x_shape`, or the wrong type.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let g = ops::Pool2dGeometry::new([2, 2]);
/// let x = Tensor::from_slice(&Device::Cpu, [1, 1, 2, 2], &[1.0f32, 5.0, 3.0, 4.0]);
/// let (_, indices) = ops::max_pool2d(&x, g);
/// let dy = Tensor::from_slice(&Device::Cpu, [1, 1, 1, 1], &[2.5f32]);
/// assert_eq!(ops::max_pool2d_bwd_x(&dy, &indices, x.shape(), g).to_vec()?, [0.0, 2.5, 0.0, 0.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn max_pool2d_bwd_x(dy: &Tensor, indices: &Tensor, x_shape: Shape, g: Pool2dGeometry) -> Tensor {
    let tensors = [("dy", dy), ("indices", indices)];
    expect::f32s("max_pool2d_bwd_x", &tensors[..1]);
    expect::dtype("max_pool2d_bwd_x", tensors[1], DType::U32);
    expect::one_device("max_pool2d_bwd_x", &tensors);
    let shape = expect_pooled("max_pool2d_bwd_x", g, x_shape, &tensors);
    forms::max_pool2d_bwd_x(Form::backward(g, x_shape, shape, dy.device().work()), dy, indices, x_shape, g)
}

/// The mean of each window of `x` (N, C, H, W), by a divisor to choose. Equivalent of `torch.nn.functional.avg_pool2d`.
///
/// # Panics
/// If no window fits ([`Pool2dGeometry::out_shape`] says why), the divisor is zero, or `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// use ops::{Divisor, Pool2dGeometry};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 1, 2, 4], &[1.0f32, 5.0, 2.0, 7.0, 3.0, 4.0, 7.0, 6.0]);
/// assert_eq!(ops::avg_pool2d(&x, Pool2dGeometry::new([2, 2]), Divisor::Window).to_vec()?, [3.25, 5.5]);
/// let padded = Pool2dGeometry { stride: [2, 4], padding: [0, 1], ..Pool2dGeometry::new([2, 2]) };
/// assert_eq!(ops::avg_pool2d(&x, padded, Divisor::Inside).to_vec()?, [2.0, 6.5]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn avg_pool2d(x: &Tensor, g: Pool2dGeometry, divisor: Divisor) -> Tensor {
    expect::f32s("avg_pool2d", &[("x", x)]);
    assert!(divisor != Divisor::Fixed(0), "avg_pool2d: the divisor is zero (x {})", x.shape());
    let shape = expect::fits("avg_pool2d", g.out_shape(x.shape()));
    forms::avg_pool2d(Form::forward(g, x.shape(), shape, x.device().work()), x, g, divisor, shape)
}

/// dX of [`avg_pool2d`]. What PyTorch's autograd computes for `avg_pool2d`.
///
/// # Panics
/// If `dy` does not have the shape of the pooled `x_shape`, the divisor is zero, or `dy` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Shape, Tensor, ops};
/// use ops::{Divisor, Pool2dGeometry};
/// let dy = Tensor::from_slice(&Device::Cpu, [1, 1, 1, 1], &[2.0f32]);
/// let dx = ops::avg_pool2d_bwd_x(&dy, Shape::from([1, 1, 2, 2]), Pool2dGeometry::new([2, 2]), Divisor::Window);
/// assert_eq!(dx.to_vec()?, [0.5; 4]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn avg_pool2d_bwd_x(dy: &Tensor, x_shape: Shape, g: Pool2dGeometry, divisor: Divisor) -> Tensor {
    expect::f32s("avg_pool2d_bwd_x", &[("dy", dy)]);
    assert!(divisor != Divisor::Fixed(0), "avg_pool2d_bwd_x: the divisor is zero (dy {}, x {x_shape})", dy.shape());
    let shape = expect_pooled("avg_pool2d_bwd_x", g, x_shape, &[("dy", dy)]);
    forms::avg_pool2d_bwd_x(Form::backward(g, x_shape, shape, dy.device().work()), dy, x_shape, g, divisor)
}
