//! The rectifier: `y = max(x, 0)`. Its derivative is 1 where `y > 0` and 0 elsewhere, so `x` need not be kept.

use crate::check::{self, Bench, Bound, Case};
use crate::expect;
use crate::kernel::{Args, Grid, Kernel, kernel};
use crate::mirror::{self, Real};
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

const WGSL: &str = include_str!("../../../../shaders/activation.wgsl");
static RELU: Kernel = kernel!(WGSL, "relu", relu_cpu);
static RELU_BWD_X: Kernel = kernel!(WGSL, "relu_bwd_x", relu_bwd_x_cpu);
pub(super) const KERNELS: &[&Kernel] = &[&RELU, &RELU_BWD_X];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    len: u32,
}

// A NaN passes, as in PyTorch: it must not be hidden by the next layer.
fn relu_cpu<T: Real>(args: &mut Args<'_>) {
    mirror::map(args.input(0), args.output(0), |x: T| if x <= T::zero() { T::zero() } else { x });
}

fn relu_bwd_x_cpu<T: Real>(args: &mut Args<'_>) {
    mirror::zip_map(args.input(0), args.input(1), args.output(0), |y: T, dy| if y <= T::zero() { T::zero() } else { dy });
}

fn grid(len: usize) -> Grid {
    Grid::linear(len.div_ceil(4), 256)
}

/// `max(x, 0)`. Equivalent of `torch.relu`; a NaN stays one.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [3], &[-1.0f32, 0.0, 2.0]);
/// assert_eq!(ops::relu(&x).to_vec()?, [0.0, 0.0, 2.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn relu(x: &Tensor) -> Tensor {
    expect::f32s("relu", &[("x", x)]);
    let y = Tensor::empty(x.device(), x.shape());
    RELU.launch(Params { len: x.len() as u32 }, &[x], &[&y], grid(x.len()));
    y
}

/// dX of [`relu`] from its output `y`: `dy` where `y > 0`. What PyTorch's autograd computes for `torch.relu`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let y = Tensor::from_slice(&Device::Cpu, [3], &[0.0f32, 0.0, 2.0]);
/// let dy = Tensor::from_slice(&Device::Cpu, [3], &[5.0f32, 6.0, 7.0]);
/// assert_eq!(ops::relu_bwd_x(&y, &dy).to_vec()?, [0.0, 0.0, 7.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn relu_bwd_x(y: &Tensor, dy: &Tensor) -> Tensor {
    expect::f32s("relu_bwd_x", &[("y", y), ("dy", dy)]);
    expect::one_shape("relu_bwd_x", &[("y", y), ("dy", dy)]);
    let dx = Tensor::empty(y.device(), y.shape());
    RELU_BWD_X.launch(Params { len: y.len() as u32 }, &[y, dy], &[&dx], grid(y.len()));
    dx
}

pub(super) fn cases() -> Vec<Case> {
    let lens = [1, 3, 1024, 1031, 65_537];
    let forward = lens.map(|len| {
        Case::new("relu", format!("{len} elements"), Bound::Exact, move |device| vec![relu(&check::tensor(device, [len], 1))])
    });
    let backward = lens.map(|len| {
        Case::new("relu_bwd_x", format!("{len} elements"), Bound::Exact, move |device| {
            let y = relu(&check::tensor(device, [len], 1));
            vec![relu_bwd_x(&y, &check::tensor(device, [len], 2))]
        })
    });
    forward.into_iter().chain(backward).collect()
}

pub(super) fn benches() -> Vec<Bench> {
    const SHAPE: [usize; 4] = [128, 64, 32, 32];
    vec![
        Bench::new("relu", "128x64x32x32", 0, |device| {
            let x = check::tensor(device, SHAPE, 1);
            move || vec![relu(&x)]
        }),
        Bench::new("relu_bwd_x", "128x64x32x32", 0, |device| {
            let (y, dy) = (check::tensor(device, SHAPE, 1), check::tensor(device, SHAPE, 2));
            move || vec![relu_bwd_x(&y, &dy)]
        }),
    ]
}

#[cfg(test)]
pub(super) fn misuses() -> Vec<check::Misuse> {
    use crate::device::Device;
    use check::misuse;
    vec![
        misuse!("relu", ["x holds u32, not f32", "x [2]"], |device| relu(&Tensor::from_slice(device, [2], &[1u32, 2]))),
        misuse!("relu_bwd_x", ["y [2]", "dy [3]"], |device| {
            relu_bwd_x(&Tensor::zeros(device, [2]), &Tensor::zeros(device, [3]))
        }),
        misuse!("relu_bwd_x", ["dy on CPU", "y [2], dy [2]"], |device| {
            relu_bwd_x(&Tensor::zeros(device, [2]), &Tensor::zeros(&Device::Cpu, [2]))
        }),
    ]
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
        let x = check::tensor(&Device::Cpu, [1000], 1);
        let want: Vec<f32> = x.to_vec().unwrap().iter().map(|v| v.max(0.0)).collect();
        assert_eq!(relu(&x).to_vec().unwrap(), want);
    }

    #[test]
    fn the_gradient_is_the_difference_quotient() {
        // Away from the kink, which a step must not cross.
        let x: Vec<f32> = check::values(35, 1).iter().map(|v| v + v.signum() * 0.1).collect();
        let x = Tensor::from_slice(&Device::Cpu, [5, 7], &x);
        check::gradients(&[x], |t| relu(&t[0]), |t, dy| vec![relu_bwd_x(&relu(&t[0]), dy)]);
    }

    #[test]
    fn a_nan_stays_a_nan() {
        for device in check::devices() {
            let y = relu(&Tensor::from_slice(&device, [2], &[f32::NAN, -1.0])).to_vec().unwrap();
            assert!(y[0].is_nan() && y[1] == 0.0, "{y:?}");
        }
    }
}
