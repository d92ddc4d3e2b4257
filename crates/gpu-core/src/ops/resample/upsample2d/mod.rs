//! Planes resampled to another size, NCHW: nearest and bilinear, by PyTorch's rules for where a place reads.
//!
//! `y[p,q] = sum over i,j of row(p, i) column(q, j) x[i,j]`, two rows and two columns of x at most.
//!
//! The gradient is the transposed sum, an axis at a time and gathered: its cost grows with the factor and not with its square, and it
//! needs no atomics.

mod geometry;
mod mirrors;
mod params;

pub use geometry::{Interpolation, Resize, Upsample2dGeometry};

use crate::base::Shape;
use crate::expect;
use crate::kernel::{Grid, Kernel, kernel};
use crate::tensor::Tensor;
use mirrors::{upsample2d_bwd_x_cpu, upsample2d_cpu};
use params::Params;

const WGSL: &str = wgsl!("upsample2d.wgsl");
static UPSAMPLE2D: Kernel = kernel!(WGSL, "upsample2d", upsample2d_cpu);
static UPSAMPLE2D_BWD_X: Kernel = kernel!(WGSL, "upsample2d_bwd_x", upsample2d_bwd_x_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&UPSAMPLE2D, &UPSAMPLE2D_BWD_X];

/// `x` (N, C, H, W) resampled. Equivalent of `torch.nn.functional.interpolate` with `mode="nearest"` or `"bilinear"`; sizes may also
/// shrink.
///
/// # Panics
/// If `x` does not have four axes, nothing comes out ([`Upsample2dGeometry::out_shape`] says why), or `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// use ops::Upsample2dGeometry;
/// let x = Tensor::from_slice(&Device::Cpu, [1, 1, 1, 2], &[0.0f32, 4.0]);
/// let nearest = ops::upsample2d(&x, Upsample2dGeometry::nearest_by(2.0));
/// assert_eq!(nearest.to_vec()?, [0.0, 0.0, 4.0, 4.0, 0.0, 0.0, 4.0, 4.0]);
/// let bilinear = ops::upsample2d(&x, Upsample2dGeometry::bilinear_by(2.0));
/// assert_eq!(bilinear.to_vec()?, [0.0, 1.0, 3.0, 4.0, 0.0, 1.0, 3.0, 4.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn upsample2d(x: &Tensor, g: Upsample2dGeometry) -> Tensor {
    expect::f32s("upsample2d", &[("x", x)]);
    let shape = expect::fits("upsample2d", g.out_shape(x.shape()));
    let y = Tensor::empty(x.device(), shape);
    let [outer, h, w, p, q] = [shape.n() * shape.c(), x.shape().h(), x.shape().w(), shape.h(), shape.w()].map(|v| v as u32);
    let (step_h, step_w) = (g.step(0, x.shape().h(), shape.h()), g.step(1, x.shape().w(), shape.w()));
    let params = Params { outer, h, w, p, q, step_h, step_w };
    UPSAMPLE2D.with(&[("MODE", g.mode())]).launch(params, &[x], &[&y], Grid::linear(y.len(), 256));
    y
}

/// dX of [`upsample2d`]: the places of `dy` that read a pixel, by their weights. What PyTorch's autograd computes for
/// `interpolate`, in one order.
///
/// # Panics
/// If `dy` does not have the shape that `x_shape` is resampled to, or does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Shape, Tensor, ops};
/// let dy = Tensor::from_slice(&Device::Cpu, [1, 1, 2, 4], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
/// let g = ops::Upsample2dGeometry::nearest_by(2.0);
/// assert_eq!(ops::upsample2d_bwd_x(&dy, Shape::from([1, 1, 1, 2]), g).to_vec()?, [14.0, 22.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn upsample2d_bwd_x(dy: &Tensor, x_shape: Shape, g: Upsample2dGeometry) -> Tensor {
    expect::f32s("upsample2d_bwd_x", &[("dy", dy)]);
    let shape = expect::fits("upsample2d_bwd_x", g.out_shape(x_shape));
    assert!(dy.shape() == shape, "upsample2d_bwd_x: x {x_shape} becomes {shape}, dy is not of it (dy {})", dy.shape());
    let &[n, c, h, w] = x_shape.dims() else { unreachable!("the rank is four") };
    let rows = along(g, 1, dy, n * c * shape.h(), [w, shape.w(), 1]);
    along(g, 0, &rows, n * c, [h, shape.h(), w]).reshape(x_shape)
}

/// The gradient along one axis: from (outer, to, inner) to (outer, len, inner).
#[track_caller]
fn along(g: Upsample2dGeometry, axis: usize, dy: &Tensor, outer: usize, [len, to, inner]: [usize; 3]) -> Tensor {
    if len == to {
        return dy.clone(); // every place reads its own element
    }
    let dx = Tensor::empty(dy.device(), [outer, len, inner]);
    let step_h = g.step(axis, len, to);
    let readers = if step_h > 0.0 { ((3.0 / step_h) as usize + 8).min(to) } else { to };
    let [outer, h, p, w] = [outer, len, to, inner].map(|v| v as u32);
    let params = Params { outer, h, w, p, q: w, step_h, step_w: 0.0 };
    let grid = Grid::linear(dx.len(), 256).trips(readers);
    UPSAMPLE2D_BWD_X.with(&[("MODE", g.mode())]).launch(params, &[dy], &[&dx], grid);
    dx
}
