//! The mean of each plane: `y[n,c,0,0] = mean over h,w of x[n,c,h,w]`.

use crate::check::{self, Bound, Case};
use crate::kernel::{Args, Grid, Kernel};
use crate::mirror;
use crate::shape::Shape;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};
use rayon::prelude::*;

const WGSL: &str = include_str!("../../../../shaders/global_pool.wgsl");
static GLOBAL_AVG_POOL: Kernel = Kernel::new(WGSL, "global_avg_pool", global_avg_pool_cpu);
static GLOBAL_AVG_POOL_WIDE: Kernel = Kernel::new(WGSL, "global_avg_pool_wide", global_avg_pool_cpu);
static GLOBAL_AVG_POOL_BWD_X: Kernel = Kernel::new(WGSL, "global_avg_pool_bwd_x", global_avg_pool_bwd_x_cpu);
pub(super) const KERNELS: &[&Kernel] = &[&GLOBAL_AVG_POOL, &GLOBAL_AVG_POOL_WIDE, &GLOBAL_AVG_POOL_BWD_X];

/// Planes over so many places get a workgroup each.
const WIDE: usize = 128;

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    planes: u32,
    inner: u32,
    scale: f32,
}

fn global_avg_pool_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, y): (&[f32], &mut [f32]) = (args.input(0), args.output(0));
    let planes = x.par_chunks_exact(p.inner as usize).with_min_len((mirror::CHUNK / p.inner as usize).max(1));
    y.par_iter_mut().zip(planes).for_each(|(y, x)| *y = (mirror::sum_by(x, |v| v) * f64::from(p.scale)) as f32);
}

fn global_avg_pool_bwd_x_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (dy, dx): (&[f32], &mut [f32]) = (args.input(0), args.output(0));
    mirror::for_each_plane(dx, p.inner as usize, |plane, dx| dx.fill(dy[plane] * p.scale));
}

#[track_caller]
fn params(op: &str, x: Shape) -> Params {
    assert!(x.rank() == 4, "{op}: x needs axes (n, c, h, w), it has shape {x}");
    assert!(x.inner(2) > 0, "{op}: planes of x {x} have no elements");
    Params { planes: (x.n() * x.c()) as u32, inner: x.inner(2) as u32, scale: 1.0 / x.inner(2) as f32 }
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
    x.expect_f32("global_avg_pool");
    let p = params("global_avg_pool", x.shape());
    let y = Tensor::empty(x.device(), [x.shape().n(), x.shape().c(), 1, 1]);
    let inner = x.shape().inner(2);
    if inner <= WIDE {
        GLOBAL_AVG_POOL.launch(p, &[x], &[&y], Grid::linear(y.len(), 64).trips(inner));
    } else {
        GLOBAL_AVG_POOL_WIDE.launch(p, &[x], &[&y], Grid::folded(y.len()).trips(inner.div_ceil(64) + 6));
    }
    y
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
    dy.expect_f32("global_avg_pool_bwd_x");
    let p = params("global_avg_pool_bwd_x", x_shape);
    let pooled = Shape::from([x_shape.n(), x_shape.c(), 1, 1]);
    let given = dy.shape();
    assert!(given == pooled, "global_avg_pool_bwd_x: dy has shape {given}, x {x_shape} is pooled to {pooled}");
    let dx = Tensor::empty(dy.device(), x_shape);
    GLOBAL_AVG_POOL_BWD_X.launch(p, &[dy], &[&dx], Grid::linear(dx.len().div_ceil(4), 256));
    dx
}

const SHAPES: &[[usize; 4]] = &[[1, 1, 1, 1], [3, 5, 7, 7], [2, 3, 16, 16], [2, 3, 17, 19], [64, 33, 8, 8], [1, 65_537, 1, 257]];

pub(super) fn cases() -> Vec<Case> {
    let case = |&dims: &[usize; 4]| {
        let shape = Shape::from(dims);
        Case::new("global_avg_pool", shape.to_string(), Bound::Sum { terms: shape.inner(2), magnitude: 1.0 }, move |device| {
            let y = global_avg_pool(&check::tensor(device, shape, 1));
            let dx = global_avg_pool_bwd_x(&check::tensor(device, y.shape(), 2), shape);
            vec![y, dx]
        })
    };
    SHAPES.iter().map(case).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;

    #[test]
    fn kernels_equal_their_mirrors() {
        check::hold(&cases());
    }

    #[test]
    fn the_mirror_is_the_formula() {
        for shape in SHAPES[..5].iter().map(|&dims| Shape::from(dims)) {
            let x = check::tensor(&Device::Cpu, shape, 1);
            let y = global_avg_pool(&x).to_vec().unwrap();
            for (plane, x) in x.to_vec().unwrap().chunks_exact(shape.inner(2)).enumerate() {
                let want = x.iter().map(|&v| f64::from(v)).sum::<f64>() / x.len() as f64;
                assert!((f64::from(y[plane]) - want).abs() < 1e-6, "{shape}: {} is not {want}", y[plane]);
            }
        }
    }

    #[test]
    fn the_gradient_is_the_difference_quotient() {
        let x = check::tensor(&Device::Cpu, [2, 3, 3, 5], 1);
        let shape = x.shape();
        check::gradients(&[x], |t| global_avg_pool(&t[0]), |_, dy| vec![global_avg_pool_bwd_x(dy, shape)]);
    }

    #[test]
    #[should_panic(expected = "global_avg_pool_bwd_x: dy has shape [2, 3], x [2, 3, 4, 4] is pooled to [2, 3, 1, 1]")]
    fn a_gradient_of_another_shape_is_refused() {
        global_avg_pool_bwd_x(&Tensor::zeros(&Device::Cpu, [2, 3]), Shape::from([2, 3, 4, 4]));
    }

    #[test]
    #[should_panic(expected = "global_avg_pool: x needs axes (n, c, h, w), it has shape [2, 3]")]
    fn global_avg_pool_names_the_shape() {
        global_avg_pool(&Tensor::zeros(&Device::Cpu, [2, 3]));
    }
}
