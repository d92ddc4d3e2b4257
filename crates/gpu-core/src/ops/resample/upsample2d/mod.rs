//! Planes resampled to another size, NCHW: nearest and bilinear, by PyTorch's rules for where a place reads.
//!
//! `y[p,q] = sum over i,j of row(p, i) column(q, j) x[i,j]`, two rows and two columns of x at most.
//!
//! The gradient is the transposed sum, an axis at a time and gathered: its cost grows with the factor and not with its square, and it
//! needs no atomics.

mod geometry;
mod mirrors;
#[cfg(test)]
mod tests;

pub use geometry::{Interpolation, Resize, Upsample2dGeometry};
#[cfg(test)]
pub(in crate::ops) use tests::misuses;

use crate::check::{self, Bench, Bound, Case};
use crate::expect;
use crate::kernel::{Grid, Kernel, kernel};
use crate::shape::Shape;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};
use mirrors::{upsample2d_bwd_x_cpu, upsample2d_cpu};

const WGSL: &str = wgsl!("upsample2d.wgsl");
static UPSAMPLE2D: Kernel = kernel!(WGSL, "upsample2d", upsample2d_cpu);
static UPSAMPLE2D_BWD_X: Kernel = kernel!(WGSL, "upsample2d_bwd_x", upsample2d_bwd_x_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&UPSAMPLE2D, &UPSAMPLE2D_BWD_X];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    outer: u32,
    h: u32,
    w: u32,
    p: u32,
    q: u32,
    step_h: f32,
    step_w: f32,
}

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

const BILINEAR: Interpolation = Interpolation::Bilinear { align_corners: false };
const ALIGNED: Interpolation = Interpolation::Bilinear { align_corners: true };
const MODES: [Interpolation; 3] = [Interpolation::Nearest, BILINEAR, ALIGNED];

/// Doubling, other whole factors, from and to one pixel, odd sizes, factors that are not whole, smaller sizes, no change along one
/// axis, and no images at all.
const ROWS: &[([usize; 4], Resize)] = &[
    ([2, 3, 4, 5], Resize::By([2.0, 2.0])),
    ([1, 2, 3, 7], Resize::By([4.0, 3.0])),
    ([2, 2, 1, 1], Resize::To([5, 9])),
    ([2, 2, 5, 9], Resize::To([1, 1])),
    ([1, 3, 7, 11], Resize::To([13, 17])),
    ([1, 2, 5, 6], Resize::By([2.3, 1.7])),
    ([2, 3, 9, 13], Resize::To([4, 5])),
    ([1, 2, 6, 10], Resize::By([0.6, 0.35])),
    ([1, 2, 4, 3], Resize::To([4, 8])),
    ([0, 2, 4, 3], Resize::By([2.0, 2.0])),
];

pub(in crate::ops) fn cases() -> Vec<Case> {
    // The last: more workgroups than fit into a row of the grid.
    let wide = ([3, 257, 73, 75], Resize::By([2.0, 2.0]));
    let mut cases = Vec::new();
    for &(x, size) in ROWS.iter().chain(&[wide]) {
        for mode in MODES.into_iter().take(if x == wide.0 { 1 } else { 3 }) {
            let g = Upsample2dGeometry { size, mode };
            // Bilinear places are off by a unit of their extents: an eighth of a millionth each of twenty pixels.
            let bound = if mode == Interpolation::Nearest { Bound::Sum { terms: 64 } } else { Bound::Relative(1e-5) };
            cases.push(Case::new("upsample2d", format!("{x:?} {g:?}"), bound, move |device| {
                let y = upsample2d(&check::tensor(device, x, 1), g);
                let dx = upsample2d_bwd_x(&check::tensor(device, y.shape(), 2), x.into(), g);
                vec![y, dx]
            }));
        }
    }
    cases
}

pub(in crate::ops) fn benches() -> Vec<Bench> {
    const SHAPE: [usize; 4] = [32, 64, 32, 32];
    let rows = [("nearest", Interpolation::Nearest), ("bilinear", BILINEAR)].into_iter().flat_map(|(name, mode)| {
        let (what, g) = (format!("{name}, 32x64x32x32 by 2"), Upsample2dGeometry { size: Resize::By([2.0; 2]), mode });
        [
            Bench::new("upsample2d", what.clone(), 0, move |device| {
                let x = check::tensor(device, SHAPE, 1);
                move || vec![upsample2d(&x, g)]
            }),
            Bench::new("upsample2d_bwd_x", what, 0, move |device| {
                let dy = check::tensor(device, [32, 64, 64, 64], 1);
                move || vec![upsample2d_bwd_x(&dy, SHAPE.into(), g)]
            }),
        ]
    });
    rows.collect()
}
