//! Maximum and mean over windows of planes, NCHW.
//!
//! `y[n,c,p,q] = max (or mean) over r,s of x[n, c, p * stride + r - padding, q * stride + s - padding]`
//!
//! The maximum keeps where it found itself (u32, the place in the plane): its gradient then reads two small tensors instead of
//! searching `x` again, and `x` may be freed.

mod mirrors;
#[cfg(test)]
mod tests;

use crate::check::{self, Bound, Case};
use crate::dtype::DType;
use crate::kernel::{Grid, Kernel};
use crate::shape::Shape;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

const WGSL: &str = include_str!("../../../../../shaders/pool2d.wgsl");
static MAX_POOL2D: Kernel = Kernel::new(WGSL, "max_pool2d", mirrors::max_pool2d_cpu);
static MAX_POOL2D_BWD_X: Kernel = Kernel::new(WGSL, "max_pool2d_bwd_x", mirrors::max_pool2d_bwd_x_cpu);
static AVG_POOL2D: Kernel = Kernel::new(WGSL, "avg_pool2d", mirrors::avg_pool2d_cpu);
static AVG_POOL2D_BWD_X: Kernel = Kernel::new(WGSL, "avg_pool2d_bwd_x", mirrors::avg_pool2d_bwd_x_cpu);
pub(super) const KERNELS: &[&Kernel] = &[&MAX_POOL2D, &MAX_POOL2D_BWD_X, &AVG_POOL2D, &AVG_POOL2D_BWD_X];

/// The windows of a pooling: rows and columns of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pool2dGeometry {
    /// Extents of a window.
    pub kernel: [usize; 2],
    /// From one window to the next.
    pub stride: [usize; 2],
    /// Rows and columns added on every side; at most half a window.
    pub padding: [usize; 2],
}

impl Pool2dGeometry {
    /// Windows side by side, without padding.
    pub fn new(kernel: [usize; 2]) -> Self {
        Self { kernel, stride: kernel, padding: [0, 0] }
    }

    /// The shape of the pooled tensor.
    ///
    /// # Errors
    /// What is wrong, where `x` is not (N, C, H, W) or no window fits.
    ///
    /// ```
    /// # use gpu_core::{Shape, ops::Pool2dGeometry};
    /// let g = Pool2dGeometry { kernel: [3, 3], stride: [2, 2], padding: [1, 1] };
    /// assert_eq!(g.out_shape(Shape::from([8, 16, 32, 31])), Ok(Shape::from([8, 16, 16, 16])));
    /// assert!(Pool2dGeometry::new([5, 5]).out_shape(Shape::from([8, 16, 4, 4])).is_err());
    /// ```
    pub fn out_shape(&self, x: Shape) -> Result<Shape, String> {
        let &[n, c, h, w] = x.dims() else { return Err(format!("x needs axes (n, c, h, w), it has shape {x}")) };
        let along = |axis: usize, extent: usize| {
            let (k, s, p) = (self.kernel[axis], self.stride[axis], self.padding[axis]);
            if k == 0 || s == 0 {
                return Err(format!("kernel {:?} and stride {:?} must not be zero (x {x})", self.kernel, self.stride));
            }
            if 2 * p > k {
                return Err(format!("padding {:?} is over half the kernel {:?} (x {x})", self.padding, self.kernel));
            }
            match (extent + 2 * p).checked_sub(k) {
                Some(room) => Ok(room / s + 1),
                None => Err(format!("x {x} is smaller than the kernel {:?} (padding {:?})", self.kernel, self.padding)),
            }
        };
        Ok(Shape::from([n, c, along(0, h)?, along(1, w)?]))
    }

    fn constants(&self) -> [(&'static str, u32); 6] {
        let [[kh, kw], [sh, sw], [ph, pw]] = [self.kernel, self.stride, self.padding].map(|pair| pair.map(|v| v as u32));
        [("KH", kh), ("KW", kw), ("SH", sh), ("SW", sw), ("PH", ph), ("PW", pw)]
    }

    fn params(&self, x: Shape, y: Shape) -> Params {
        let [kh, kw, sh, sw, ph, pw] = self.constants().map(|(_, v)| v);
        let [planes, h, w, p, q] = [x.n() * x.c(), x.h(), x.w(), y.h(), y.w()].map(|v| v as u32);
        Params { planes, h, w, p, q, kh, kw, sh, sw, ph, pw }
    }

    fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1] + self.kernel[0]
    }

    #[track_caller]
    fn expect_out_shape(&self, op: &str, x: Shape) -> Shape {
        self.out_shape(x).unwrap_or_else(|what| panic!("{op}: {what}"))
    }
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    planes: u32,
    h: u32,
    w: u32,
    p: u32,
    q: u32,
    kh: u32,
    kw: u32,
    sh: u32,
    sw: u32,
    ph: u32,
    pw: u32,
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
    x.expect_f32("max_pool2d");
    let shape = g.expect_out_shape("max_pool2d", x.shape());
    let (y, indices) = (Tensor::empty(x.device(), shape), Tensor::empty_of(x.device(), shape, DType::U32));
    let grid = Grid::linear(y.len(), 256).trips(g.taps());
    MAX_POOL2D.with(&g.constants()).launch(g.params(x.shape(), shape), &[x], &[&y, &indices], grid);
    (y, indices)
}

/// dX of [`max_pool2d`]: each `dy` goes to the place that `indices` names. What PyTorch's autograd computes for `max_pool2d`.
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
    dy.expect_f32("max_pool2d_bwd_x");
    assert!(indices.dtype() == DType::U32, "max_pool2d_bwd_x: indices hold {}, not u32", indices.dtype());
    let shape = g.expect_out_shape("max_pool2d_bwd_x", x_shape);
    for (name, t) in [("dy", dy), ("indices", indices)] {
        assert!(t.shape() == shape, "max_pool2d_bwd_x: {name} has shape {}, x {x_shape} is pooled to {shape}", t.shape());
    }
    let dx = Tensor::empty(dy.device(), x_shape);
    let grid = Grid::linear(dx.len().div_ceil(4), 256).trips(4 * g.taps());
    MAX_POOL2D_BWD_X.with(&g.constants()).launch(g.params(x_shape, shape), &[dy, indices], &[&dx], grid);
    dx
}

/// The mean of each window of `x` (N, C, H, W); padding counts as zeros. Equivalent of `torch.nn.functional.avg_pool2d`.
///
/// # Panics
/// If no window fits ([`Pool2dGeometry::out_shape`] says why), or `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 1, 2, 4], &[1.0f32, 5.0, 2.0, 7.0, 3.0, 4.0, 7.0, 6.0]);
/// assert_eq!(ops::avg_pool2d(&x, ops::Pool2dGeometry::new([2, 2])).to_vec()?, [3.25, 5.5]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn avg_pool2d(x: &Tensor, g: Pool2dGeometry) -> Tensor {
    x.expect_f32("avg_pool2d");
    let y = Tensor::empty(x.device(), g.expect_out_shape("avg_pool2d", x.shape()));
    let grid = Grid::linear(y.len(), 256).trips(g.taps());
    AVG_POOL2D.with(&g.constants()).launch(g.params(x.shape(), y.shape()), &[x], &[&y], grid);
    y
}

/// dX of [`avg_pool2d`]. What PyTorch's autograd computes for `avg_pool2d`.
///
/// # Panics
/// If `dy` does not have the shape of the pooled `x_shape`, or does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Shape, Tensor, ops};
/// let dy = Tensor::from_slice(&Device::Cpu, [1, 1, 1, 1], &[2.0f32]);
/// let dx = ops::avg_pool2d_bwd_x(&dy, Shape::from([1, 1, 2, 2]), ops::Pool2dGeometry::new([2, 2]));
/// assert_eq!(dx.to_vec()?, [0.5; 4]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn avg_pool2d_bwd_x(dy: &Tensor, x_shape: Shape, g: Pool2dGeometry) -> Tensor {
    dy.expect_f32("avg_pool2d_bwd_x");
    let shape = g.expect_out_shape("avg_pool2d_bwd_x", x_shape);
    assert!(dy.shape() == shape, "avg_pool2d_bwd_x: dy has shape {}, x {x_shape} is pooled to {shape}", dy.shape());
    let dx = Tensor::empty(dy.device(), x_shape);
    let grid = Grid::linear(dx.len().div_ceil(4), 256).trips(4 * g.taps());
    AVG_POOL2D_BWD_X.with(&g.constants()).launch(g.params(x_shape, shape), &[dy], &[&dx], grid);
    dx
}

/// Plain, one pixel, odd, overlapping, asymmetrical, with gaps between windows, padded, as wide as the plane.
const GEOMETRIES: &[([usize; 4], [[usize; 2]; 3])] = &[
    ([2, 3, 8, 8], [[2, 2], [2, 2], [0, 0]]),
    ([1, 1, 1, 1], [[1, 1], [1, 1], [0, 0]]),
    ([3, 5, 7, 9], [[2, 2], [2, 2], [0, 0]]),
    ([1, 4, 9, 7], [[3, 3], [2, 2], [1, 1]]),
    ([2, 3, 11, 13], [[3, 2], [1, 3], [1, 0]]),
    ([2, 2, 17, 5], [[5, 1], [3, 1], [2, 0]]),
    ([1, 3, 10, 10], [[2, 2], [3, 4], [0, 0]]),
    ([2, 7, 6, 5], [[2, 3], [2, 3], [1, 1]]),
    ([5, 2, 7, 7], [[7, 7], [7, 7], [0, 0]]),
];

fn geometries() -> impl Iterator<Item = (Shape, Pool2dGeometry)> {
    GEOMETRIES.iter().map(|&(x, [kernel, stride, padding])| (Shape::from(x), Pool2dGeometry { kernel, stride, padding }))
}

pub(super) fn cases() -> Vec<Case> {
    // The last: more workgroups than fit into a row of the grid.
    let wide = (Shape::from([257, 255, 16, 17]), Pool2dGeometry::new([16, 17]));
    let mut cases = Vec::new();
    for (shape, g) in geometries().chain([wide]) {
        let what = format!("{shape} kernel {:?} stride {:?} padding {:?}", g.kernel, g.stride, g.padding);
        cases.push(Case::new("max_pool2d", what.clone(), Bound::Exact, move |device| {
            // Small integers: ties abound.
            let x = Tensor::from_slice(device, shape, &check::integers(shape.len(), 1));
            let (y, indices) = max_pool2d(&x, g);
            let dx = max_pool2d_bwd_x(&check::tensor(device, y.shape(), 2), &indices, shape, g);
            vec![y, indices, dx]
        }));
        let bound = Bound::Sum { terms: g.kernel[0] * g.kernel[1], magnitude: 1.0 };
        cases.push(Case::new("avg_pool2d", what, bound, move |device| {
            let y = avg_pool2d(&check::tensor(device, shape, 1), g);
            let dx = avg_pool2d_bwd_x(&check::tensor(device, y.shape(), 2), shape, g);
            vec![y, dx]
        }));
    }
    cases
}
