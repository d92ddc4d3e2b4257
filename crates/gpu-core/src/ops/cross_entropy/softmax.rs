//! Softmax and its logarithm over the rows of a matrix, with their gradients.

use super::{Params, SHAPES, WGSL, expect_rows, largest_of, launch_rows, logits, rows_per_job, softmax_row};
use crate::check::{Bound, Case, tensor};
use crate::kernel::{Args, Kernel};
use crate::tensor::Tensor;
use rayon::prelude::*;

pub(super) static SOFTMAX: Kernel = Kernel::new(WGSL, "softmax", softmax_cpu);
pub(super) static SOFTMAX_BWD_X: Kernel = Kernel::new(WGSL, "softmax_bwd_x", softmax_bwd_x_cpu);
pub(super) static LOG_SOFTMAX: Kernel = Kernel::new(WGSL, "log_softmax", log_softmax_cpu);
pub(super) static LOG_SOFTMAX_BWD_X: Kernel = Kernel::new(WGSL, "log_softmax_bwd_x", log_softmax_bwd_x_cpu);

/// Calls `f` with each row of the input and of the output.
fn for_rows(args: &mut Args<'_>, f: impl Fn(&[f32], &mut [f32]) + Sync) {
    let c = args.params::<Params>().c as usize;
    let rows = args.output::<f32>(0).par_chunks_exact_mut(c).zip(args.input::<f32>(0).par_chunks_exact(c));
    rows.with_min_len(rows_per_job(c)).for_each(|(y, x)| f(x, y));
}

/// Calls `f` with each row of `y`, `dy` and `dx`.
fn for_rows_bwd(args: &mut Args<'_>, f: impl Fn(&[f32], &[f32], &mut [f32]) + Sync) {
    let c = args.params::<Params>().c as usize;
    let (y, dy) = (args.input::<f32>(0).par_chunks_exact(c), args.input::<f32>(1).par_chunks_exact(c));
    let rows = args.output::<f32>(0).par_chunks_exact_mut(c).zip(y.zip(dy));
    rows.with_min_len(rows_per_job(c)).for_each(|(dx, (y, dy))| f(y, dy, dx));
}

fn softmax_cpu(args: &mut Args<'_>) {
    for_rows(args, |x, y| {
        softmax_row(x, y, largest_of(x));
    });
}

fn log_softmax_cpu(args: &mut Args<'_>) {
    for_rows(args, |x, y| {
        let largest = largest_of(x);
        let log_total = x.iter().map(|v| f64::from((v - largest).exp())).sum::<f64>().ln() as f32;
        y.iter_mut().zip(x).for_each(|(y, x)| *y = x - largest - log_total);
    });
}

fn softmax_bwd_x_cpu(args: &mut Args<'_>) {
    for_rows_bwd(args, |y, dy, dx| {
        let dot = y.iter().zip(dy).map(|(y, dy)| f64::from(y * dy)).sum::<f64>() as f32;
        dx.iter_mut().zip(y.iter().zip(dy)).for_each(|(dx, (y, dy))| *dx = y * (dy - dot));
    });
}

fn log_softmax_bwd_x_cpu(args: &mut Args<'_>) {
    for_rows_bwd(args, |y, dy, dx| {
        let sum = dy.iter().map(|&v| f64::from(v)).sum::<f64>() as f32;
        dx.iter_mut().zip(y.iter().zip(dy)).for_each(|(dx, (y, dy))| *dx = dy - y.exp() * sum);
    });
}

/// One input or two of one shape, `passes` walks over each row.
#[track_caller]
fn rowwise(op: &str, kernel: &'static Kernel, passes: usize, inputs: &[&Tensor]) -> Tensor {
    let x = inputs[0];
    for input in inputs {
        expect_rows(op, input);
        assert!(input.shape() == x.shape(), "{op}: y and dy differ in shape (y {}, dy {})", x.shape(), input.shape());
    }
    let out = Tensor::empty(x.device(), x.shape());
    launch_rows(kernel, Params::rows(x.shape()), [x.shape().n(), x.shape().c(), passes], inputs, &[&out]);
    out
}

/// `exp(x) / sum exp(x)` over each row of `x` (N, C). Equivalent of `torch.softmax(x, 1)`.
///
/// # Panics
/// If `x` is not (N, C) with C > 0.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 4], &[700.0f32; 4]);
/// assert_eq!(ops::softmax(&x).to_vec()?, [0.25; 4]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn softmax(x: &Tensor) -> Tensor {
    rowwise("softmax", &SOFTMAX, 3, &[x])
}

/// The gradient of [`softmax`] from its result: `y * (dy - sum(y * dy))`. Equivalent of `y.backward(dy)`.
///
/// # Panics
/// If the two are not (N, C) of one shape.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let y = Tensor::from_slice(&Device::Cpu, [1, 2], &[0.5f32, 0.5]);
/// let dy = Tensor::from_slice(&Device::Cpu, [1, 2], &[1.0f32, 0.0]);
/// assert_eq!(ops::softmax_bwd_x(&y, &dy).to_vec()?, [0.25, -0.25]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn softmax_bwd_x(y: &Tensor, dy: &Tensor) -> Tensor {
    rowwise("softmax_bwd_x", &SOFTMAX_BWD_X, 2, &[y, dy])
}

/// The logarithm of [`softmax`], without its rounding. Equivalent of `torch.log_softmax(x, 1)`.
///
/// # Panics
/// If `x` is not (N, C) with C > 0.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 2], &[0.0f32, 200.0]);
/// assert_eq!(ops::log_softmax(&x).to_vec()?, [-200.0, 0.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn log_softmax(x: &Tensor) -> Tensor {
    rowwise("log_softmax", &LOG_SOFTMAX, 3, &[x])
}

/// The gradient of [`log_softmax`] from its result: `dy - exp(y) * sum(dy)`. Equivalent of `y.backward(dy)`.
///
/// # Panics
/// If the two are not (N, C) of one shape.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let y = Tensor::from_slice(&Device::Cpu, [1, 2], &[-200.0f32, 0.0]);
/// let dy = Tensor::from_slice(&Device::Cpu, [1, 2], &[1.0f32, 2.0]);
/// assert_eq!(ops::log_softmax_bwd_x(&y, &dy).to_vec()?, [1.0, -1.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn log_softmax_bwd_x(y: &Tensor, dy: &Tensor) -> Tensor {
    rowwise("log_softmax_bwd_x", &LOG_SOFTMAX_BWD_X, 2, &[y, dy])
}

pub(super) fn cases() -> Vec<Case> {
    let case = |&shape: &[usize; 2]| {
        Case::new("softmax", format!("{shape:?}"), Bound::Relative(2e-5), move |device| {
            let (x, dy) = (logits(device, shape, 3), tensor(device, shape, 4));
            let (y, log_y) = (softmax(&x), log_softmax(&x));
            let (dx, log_dx) = (softmax_bwd_x(&y, &dy), log_softmax_bwd_x(&log_y, &dy));
            vec![y, log_y, dx, log_dx]
        })
    };
    SHAPES.iter().map(case).collect()
}
