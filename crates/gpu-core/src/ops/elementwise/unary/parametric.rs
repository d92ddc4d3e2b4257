//! Functions of `x` and a number, and tests of floats.

use super::functions::{ADD_SCALAR, CLAMP, POW_SCALAR, RECIPROCAL, RSQRT, SCALAR_POW, SQRT, unary};
use super::{Params, WGSL, grid};
use crate::base::DType;
use crate::expect;
use crate::kernel::{Args, Kernel, kernel};
use crate::mirror::{self, Real};
use crate::tensor::Tensor;

pub(super) static UNARY_TEST: Kernel = kernel!(WGSL, "unary_test", unary_test_cpu);

const IS_NAN: u32 = 0;
const IS_INF: u32 = 1;
const IS_FINITE: u32 = 2;

fn unary_test_cpu<T: Real>(args: &mut Args<'_>) {
    let (x, y): (&[T], &mut [u8]) = (args.input(0), args.output(0));
    match args.constant("OP") {
        IS_NAN => mirror::map(x, y, |v: T| v.is_nan().into()),
        IS_INF => mirror::map(x, y, |v: T| v.is_infinite().into()),
        _ => mirror::map(x, y, |v: T| v.is_finite().into()),
    }
}

#[track_caller]
fn test(name: &str, op: u32, x: &Tensor) -> Tensor {
    expect::f32s(name, &[("x", x)]);
    let y = Tensor::empty_of(x.device(), x.shape(), DType::Bool);
    UNARY_TEST.with(&[("OP", op)]).launch(Params { len: x.len() as u32, p: 0.0, q: 0.0 }, &[x], &[&y], grid(x.len()));
    y
}

/// `x` within `min ..= max`; a NaN stays one. Equivalent of `torch.clamp`; with an infinite bound, of `clamp_min` and `clamp_max`.
///
/// # Panics
/// If `min` is over `max` or either is a NaN, or `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [3], &[-2.0f32, 0.5, 2.0]);
/// assert_eq!(ops::clamp(&x, -1.0, 1.0).to_vec()?, [-1.0, 0.5, 1.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn clamp(x: &Tensor, min: f32, max: f32) -> Tensor {
    expect_range("clamp", min, max, x);
    unary("clamp", CLAMP, x, [min, max])
}

#[track_caller]
pub(super) fn expect_range(op: &str, min: f32, max: f32, x: &Tensor) {
    assert!(min <= max, "{op}: the bounds {min} and {max} are not in order (x {})", x.shape());
}

/// `x + number`. Equivalent of `torch.add(x, number)`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[1.0f32, 2.0]);
/// assert_eq!(ops::add_scalar(&x, 0.5).to_vec()?, [1.5, 2.5]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn add_scalar(x: &Tensor, number: f32) -> Tensor {
    unary("add_scalar", ADD_SCALAR, x, [number, 0.0])
}

/// `x` to the power of `exponent`. Equivalent of `torch.pow(x, exponent)`; as there, 0.5, -0.5 and -1 are [`sqrt`](super::sqrt),
/// [`rsqrt`](super::rsqrt) and [`reciprocal`](super::reciprocal), and 1, 2 and 3 are products.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[2.0f32, -3.0]);
/// assert_eq!(ops::pow_scalar(&x, 3.0).to_vec()?, [8.0, -27.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn pow_scalar(x: &Tensor, exponent: f32) -> Tensor {
    let op = match exponent {
        0.5 => SQRT,
        -0.5 => RSQRT,
        -1.0 => RECIPROCAL,
        _ => POW_SCALAR,
    };
    unary("pow_scalar", op, x, [exponent, 0.0])
}

/// `base` to the power of each `x`. Equivalent of `torch.pow(base, x)` with a number for a base.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[3.0f32, -1.0]);
/// assert_eq!(ops::scalar_pow(2.0, &x).to_vec()?, [8.0, 0.5]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn scalar_pow(base: f32, x: &Tensor) -> Tensor {
    unary("scalar_pow", SCALAR_POW, x, [base, 0.0])
}

/// Whether an element is a NaN: bool. Equivalent of `torch.isnan`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [3], &[0.0f32, f32::NAN, f32::INFINITY]);
/// assert_eq!(ops::isnan(&x).read::<bool>()?, [false, true, false]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn isnan(x: &Tensor) -> Tensor {
    test("isnan", IS_NAN, x)
}

/// Whether an element is infinite: bool. Equivalent of `torch.isinf`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [3], &[0.0f32, f32::NAN, f32::INFINITY]);
/// assert_eq!(ops::isinf(&x).read::<bool>()?, [false, false, true]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn isinf(x: &Tensor) -> Tensor {
    test("isinf", IS_INF, x)
}

/// Whether an element is neither infinite nor a NaN: bool. Equivalent of `torch.isfinite`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [3], &[0.0f32, f32::NAN, f32::INFINITY]);
/// assert_eq!(ops::isfinite(&x).read::<bool>()?, [true, false, false]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn isfinite(x: &Tensor) -> Tensor {
    test("isfinite", IS_FINITE, x)
}
