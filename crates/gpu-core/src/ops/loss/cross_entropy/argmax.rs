//! The class that a row of logits names.

use super::mirrors::{LOWEST, rows_per_job};
use super::options::expect_classes;
use super::params::Params;
use super::rows::launch_rows;
use crate::base::DType;
use crate::expect;
use crate::kernel::{Args, Kernel, kernel};
use crate::mirror::threads::{IndexedParallelIterator, IntoParallelRefMutIterator, Loop};
use crate::mirror::{self, Real, in_vectors};
use crate::tensor::Tensor;

const WGSL: &str = concat!(wgsl!("rows.wgsl"), wgsl!("argmax.wgsl"));
pub(super) static ARGMAX: Kernel = kernel!(WGSL, "argmax", argmax_cpu);

/// Rows side by side, of which the mirror looks at one class after the other.
const SIDE_BY_SIDE: usize = 256;

fn argmax_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (c, inner) = (p.c as usize, p.inner as usize);
    let (x, y): (&[T], &mut [u32]) = (args.input(0), args.output(0));
    if inner == 1 {
        return y.par_iter_mut().enumerate().run_by(rows_per_job(c), |(row, y)| *y = first_largest(&x[row * c..][..c]));
    }
    mirror::for_each_piece(y, SIDE_BY_SIDE, inner, |at, y| {
        let first = at / inner * c * inner + at % inner;
        in_vectors!(largest_of_columns(x[first..].chunks(inner).take(c), y));
    });
}

fn first_largest<T: Real>(row: &[T]) -> u32 {
    let larger = |(i, m): (usize, T), (j, &v): (usize, &T)| if v > m { (j, v) } else { (i, m) };
    row.iter().enumerate().fold((0, T::of(LOWEST)), larger).0 as u32
}

/// Of each column, the first row with the largest element.
#[inline(always)]
fn largest_of_columns<'a, T: Real>(rows: impl Iterator<Item = &'a [T]>, y: &mut [u32]) {
    let mut largest = [T::of(LOWEST); SIDE_BY_SIDE];
    y.fill(0);
    for (class, row) in (0..).zip(rows) {
        for ((y, largest), &v) in y.iter_mut().zip(&mut largest).zip(row) {
            let is_larger = v > *largest;
            *y = if is_larger { class } else { *y };
            *largest = if is_larger { v } else { *largest };
        }
    }
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
