//! The mean of each plane: `y[n,c,0,0] = mean over h,w of x[n,c,h,w]`.

use crate::base::Shape;
use crate::expect;
use crate::kernel::{Args, Grid, Kernel, kernel};
use crate::mirror::threads::{IndexedParallelIterator, IntoParallelRefMutIterator, Loop, ParallelSlice, ParallelSliceMut};
use crate::mirror::{self, Real};
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

const WGSL: &str = wgsl!("global_pool.wgsl");
static GLOBAL_AVG_POOL: Kernel = kernel!(WGSL, "global_avg_pool", global_avg_pool_cpu);
static GLOBAL_AVG_POOL_WIDE: Kernel = kernel!(WGSL, "global_avg_pool_wide", global_avg_pool_cpu);
static GLOBAL_AVG_POOL_PARTS: Kernel = kernel!(WGSL, "global_avg_pool_parts", global_avg_pool_parts_cpu);
static GLOBAL_AVG_POOL_BWD_X: Kernel = kernel!(WGSL, "global_avg_pool_bwd_x", global_avg_pool_bwd_x_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] =
    &[&GLOBAL_AVG_POOL, &GLOBAL_AVG_POOL_WIDE, &GLOBAL_AVG_POOL_PARTS, &GLOBAL_AVG_POOL_BWD_X];

/// Planes over so many places get a workgroup each.
const WIDE: usize = 128;
/// Planes that one workgroup would walk for too long get one for each so many places; `PART` in the shader.
const PART: usize = 65_536;

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    planes: u32,
    inner: u32,
    scale: f32,
    parts: u32,
}

fn global_avg_pool_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, y): (&[T], &mut [T]) = (args.input(0), args.output(0));
    let planes = x.par_chunks_exact(p.inner as usize);
    y.par_iter_mut()
        .zip(planes)
        .run_by(mirror::CHUNK / p.inner as usize, |(y, x)| *y = T::of(mirror::sum_by(x, |v| v) * f64::from(p.scale)));
}

fn global_avg_pool_parts_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, y): (&[T], &mut [T]) = (args.input(0), args.output(0));
    let planes = y.par_chunks_exact_mut(p.parts as usize).zip(x.par_chunks_exact(p.inner as usize));
    planes.run(|(y, x)| y.iter_mut().zip(x.chunks(PART)).for_each(|(y, x)| *y = T::of(mirror::sum_by(x, |v| v))));
}

fn global_avg_pool_bwd_x_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (dy, dx): (&[T], &mut [T]) = (args.input(0), args.output(0));
    mirror::for_each_plane(dx, p.inner as usize, |plane, dx| dx.fill(dy[plane] * T::of(p.scale)));
}

#[track_caller]
fn params(op: &str, x: Shape) -> Params {
    assert!(x.rank() == 4, "{op}: x needs axes (n, c, h, w) (x {x})");
    assert!(x.inner(2) > 0, "{op}: the planes have no elements (x {x})");
    Params { planes: (x.n() * x.c()) as u32, inner: x.inner(2) as u32, scale: 1.0 / x.inner(2) as f32, parts: 1 }
}

/// The mean of each plane of `x` (N, C, H, W), as (N, C, 1, 1). Equivalent of `torch.nn.functional.adaptive_avg_pool2d(x, 1)`.
///
/// # Panics
/// If `x` does not have four axes, has empty planes, or does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 2, 1, 2], &[1.0f32, 2.0, 3.0, 5.0]);
/// assert_eq!(ops::global_avg_pool(&x).to_vec()?, [1.5, 4.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn global_avg_pool(x: &Tensor) -> Tensor {
    expect::f32s("global_avg_pool", &[("x", x)]);
    let p = params("global_avg_pool", x.shape());
    let y = Tensor::empty(x.device(), [x.shape().n(), x.shape().c(), 1, 1]);
    let inner = x.shape().inner(2);
    let trips = inner.div_ceil(64) + 6;
    match inner {
        _ if inner <= WIDE => GLOBAL_AVG_POOL.launch(p, &[x], &[&y], Grid::linear(y.len(), 64).trips(inner)),
        _ if x.device().work().can_loop(trips) => {
            GLOBAL_AVG_POOL_WIDE.launch(p, &[x], &[&y], Grid::folded(y.len()).trips(trips));
        }
        _ => in_parts(x, p, &y),
    }
    y
}

/// Sums of parts, and the mean of the planes from them.
#[track_caller]
fn in_parts(x: &Tensor, p: Params, y: &Tensor) {
    let parts = x.shape().inner(2).div_ceil(PART);
    let sums = Tensor::empty(x.device(), [y.len(), parts]);
    let grid = Grid::folded(sums.len()).trips(PART / 64 + 6);
    GLOBAL_AVG_POOL_PARTS.launch(Params { parts: parts as u32, ..p }, &[x], &[&sums], grid);
    let p = Params { inner: parts as u32, ..p };
    GLOBAL_AVG_POOL.launch(p, &[&sums], &[y], Grid::linear(y.len(), 64).trips(parts));
}

/// dX of [`global_avg_pool`]: each `dy` (N, C, 1, 1) spread over its plane. What PyTorch's autograd computes for
/// `adaptive_avg_pool2d(x, 1)`.
///
/// # Panics
/// If `dy` is not `x_shape` pooled, or does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Shape, Tensor, ops};
/// let dy = Tensor::from_slice(&Device::Cpu, [1, 2, 1, 1], &[1.0f32, 3.0]);
/// assert_eq!(ops::global_avg_pool_bwd_x(&dy, Shape::from([1, 2, 1, 2])).to_vec()?, [0.5, 0.5, 1.5, 1.5]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn global_avg_pool_bwd_x(dy: &Tensor, x_shape: Shape) -> Tensor {
    expect::f32s("global_avg_pool_bwd_x", &[("dy", dy)]);
    let p = params("global_avg_pool_bwd_x", x_shape);
    let pooled = Shape::from([x_shape.n(), x_shape.c(), 1, 1]);
    assert!(dy.shape() == pooled, "global_avg_pool_bwd_x: x {x_shape} is pooled to {pooled}, dy is not (dy {})", dy.shape());
    let dx = Tensor::empty(dy.device(), x_shape);
    GLOBAL_AVG_POOL_BWD_X.launch(p, &[dy], &[&dx], Grid::linear(dx.len().div_ceil(4), 256));
    dx
}
