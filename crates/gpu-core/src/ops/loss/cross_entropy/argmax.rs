//! The class that a row of logits names.

use super::mirrors::{LOWEST, rows_per_job};
use super::options::expect_classes;
use super::params::Params;
use super::rows::launch_rows;
use crate::base::DType;
use crate::expect;
use crate::kernel::{Args, Kernel, kernel};
use crate::mirror::Real;
use crate::mirror::threads::{IndexedParallelIterator, IntoParallelRefMutIterator, Loop};
use crate::tensor::Tensor;

const WGSL: &str = concat!(wgsl!("rows.wgsl"), wgsl!("argmax.wgsl"));
pub(super) static ARGMAX: Kernel = kernel!(WGSL, "argmax", argmax_cpu);

fn argmax_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (c, inner) = (p.c as usize, p.inner as usize);
    let (x, y): (&[T], &mut [u32]) = (args.input(0), args.output(0));
    let first = |row: &[T]| {
        let larger = |(i, m): (usize, T), (j, &v): (usize, &T)| if v > m { (j, v) } else { (i, m) };
        row.iter().enumerate().fold((0, T::of(LOWEST)), larger).0 as u32
    };
    y.par_iter_mut().enumerate().run_by(rows_per_job(c), |(row, y)| {
        *y = if inner == 1 {
            first(&x[row * c..][..c])
        } else {
            first(&(0..c).map(|class| x[(row / inner * c + class) * inner + row % inner]).collect::<Vec<_>>())
        };
    });
}

/// The class with the largest element in each row of `x` (N, C, ...), the first where several are equal; u32 (N, ...). Equivalent
/// of `x.argmax(1)` for finite `x` (a NaN is never the largest).
/// Equivalent of `torch.argmax(x, 1)`.
///
/// # Panics
/// If `x` is not (N, C, ...) with C > 0, or does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 3], &[1.0f32, 5.0, 5.0, 0.0, -1.0, -1.0]);
/// assert_eq!(ops::argmax(&x).read::<u32>()?, [1, 0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn argmax(x: &Tensor) -> Tensor {
    expect::f32s("argmax", &[("x", x)]);
    expect_classes("argmax", ("x", x));
    let p = Params::along(x.shape(), 1);
    let y = Tensor::empty_of(x.device(), p.rows_shape(x.shape()), DType::U32);
    launch_rows(&ARGMAX, p, 1, &[x], &[&y]);
    y
}
