//! Softmax and its logarithm over an axis, with their gradients.

use super::mirrors::{for_rows, nothing, softmax_row};
use super::params::Params;
use super::rows::launch_rows;
use crate::expect;
use crate::kernel::{Args, Kernel, kernel};
use crate::mirror::Real;
use crate::tensor::Tensor;

const WGSL: &str = concat!(wgsl!("rows.wgsl"), wgsl!("softmax.wgsl"));
pub(super) static SOFTMAX: Kernel = kernel!(WGSL, "softmax", softmax_cpu);
pub(super) static SOFTMAX_BWD_X: Kernel = kernel!(WGSL, "softmax_bwd_x", softmax_bwd_x_cpu);
pub(super) static LOG_SOFTMAX: Kernel = kernel!(WGSL, "log_softmax", log_softmax_cpu);
pub(super) static LOG_SOFTMAX_BWD_X: Kernel = kernel!(WGSL, "log_softmax_bwd_x", log_softmax_bwd_x_cpu);

fn softmax_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    for_rows(&p, [args.input::<T>(0)], args.output(0), &mut nothing(&p), |_, [x], y, ()| {
        softmax_row(x, y);
    });
}

fn log_softmax_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    for_rows(&p, [args.input::<T>(0)], args.output(0), &mut nothing(&p), |_, [x], y, ()| {
        let (largest, total) = softmax_row(x, y);
        let log_total = T::of(total.ln());
        y.iter_mut().zip(x).for_each(|(y, &x)| *y = x - largest - log_total);
    });
}

fn softmax_bwd_x_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let inputs = [args.input::<T>(0), args.input(1)];
    for_rows(&p, inputs, args.output(0), &mut nothing(&p), |_, [y, dy], dx, ()| {
        let dot = T::of(y.iter().zip(dy).map(|(&y, &dy)| Into::<f64>::into(y * dy)).sum::<f64>());
        dx.iter_mut().zip(y.iter().zip(dy)).for_each(|(dx, (&y, &dy))| *dx = y * (dy - dot));
    });
}

fn log_softmax_bwd_x_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let inputs = [args.input::<T>(0), args.input(1)];
    for_rows(&p, inputs, args.output(0), &mut nothing(&p), |_, [y, dy], dx, ()| {
        let sum = T::of(dy.iter().map(|&v| Into::<f64>::into(v)).sum::<f64>());
        dx.iter_mut().zip(y.iter().zip(dy)).for_each(|(dx, (&y, &dy))| *dx = dy - y.quick_exp() * sum);
    });
}

/// Tensors of one shape, each walked `passes` times along `axis`.
#[track_caller]
fn over_axis(op: &str, kernel: &'static Kernel, passes: usize, tensors: &expect::Named<'_>, axis: usize) -> Tensor {
    expect::f32s(op, tensors);
    expect::one_shape(op, tensors);
    let shape = tensors[0].1.shape();
    assert!(axis < shape.rank(), "{op}: there is no axis {axis} ({})", expect::shapes(tensors));
    let out = Tensor::empty(tensors[0].1.device(), shape);
    let inputs: Vec<&Tensor> = tensors.iter().map(|(_, t)| *t).collect();
    launch_rows(kernel, Params::along(shape, axis), passes, &inputs, &[&out]);
    out
}

/// `exp(x) / sum exp(x)` along `axis`. Equivalent of `torch.softmax(x, axis)`.
///
/// # Panics
/// If `x` has no such axis, or does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 4], &[700.0f32; 4]);
/// assert_eq!(ops::softmax(&x, 1).to_vec()?, [0.25; 4]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn softmax(x: &Tensor, axis: usize) -> Tensor {
    over_axis("softmax", &SOFTMAX, 3, &[("x", x)], axis)
}

/// The gradient of [`softmax`] from its result: `y * (dy - sum(y * dy))`. Equivalent of `y.backward(dy)`.
///
/// # Panics
/// If the two are not of one shape with such an axis, or do not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let y = Tensor::from_slice(&Device::Cpu, [1, 2], &[0.5f32, 0.5]);
/// let dy = Tensor::from_slice(&Device::Cpu, [1, 2], &[1.0f32, 0.0]);
/// assert_eq!(ops::softmax_bwd_x(&y, &dy, 1).to_vec()?, [0.25, -0.25]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn softmax_bwd_x(y: &Tensor, dy: &Tensor, axis: usize) -> Tensor {
    over_axis("softmax_bwd_x", &SOFTMAX_BWD_X, 2, &[("y", y), ("dy", dy)], axis)
}

/// The logarithm of [`softmax`], without its rounding. Equivalent of `torch.log_softmax(x, axis)`.
///
/// # Panics
/// If `x` has no such axis, or does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 2], &[0.0f32, 200.0]);
/// assert_eq!(ops::log_softmax(&x, 1).to_vec()?, [-200.0, 0.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn log_softmax(x: &Tensor, axis: usize) -> Tensor {
    over_axis("log_softmax", &LOG_SOFTMAX, 3, &[("x", x)], axis)
}

/// The gradient of [`log_softmax`] from its result: `dy - exp(y) * sum(dy)`. Equivalent of `y.backward(dy)`.
///
/// # Panics
/// If the two are not of one shape with such an axis, or do not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let y = Tensor::from_slice(&Device::Cpu, [1, 2], &[-200.0f32, 0.0]);
/// let dy = Tensor::from_slice(&Device::Cpu, [1, 2], &[1.0f32, 2.0]);
/// assert_eq!(ops::log_softmax_bwd_x(&y, &dy, 1).to_vec()?, [1.0, -1.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn log_softmax_bwd_x(y: &Tensor, dy: &Tensor, axis: usize) -> Tensor {
    over_axis("log_softmax_bwd_x", &LOG_SOFTMAX_BWD_X, 2, &[("y", y), ("dy", dy)], axis)
}
