//! dX of the functions, from `x` or from what the function gave: whichever PyTorch keeps.

use super::functions::{raised, sign_of};
use super::parametric::expect_range;
use super::{Params, WGSL, grid};
use crate::expect;
use crate::kernel::{Args, Kernel, kernel};
use crate::mirror::{self, Real};
use crate::tensor::Tensor;
use std::f64::consts::FRAC_2_SQRT_PI;

pub(super) static UNARY_BWD_X: Kernel = kernel!(WGSL, "unary_bwd_x", unary_bwd_x_cpu);

const ABS: u32 = 0;
const SQUARE: u32 = 1;
const SQRT: u32 = 2;
const RSQRT: u32 = 3;
const LOG1P: u32 = 4;
const EXPM1: u32 = 5;
const SIN: u32 = 6;
const COS: u32 = 7;
const TAN: u32 = 8;
const RECIPROCAL: u32 = 9;
const ERF: u32 = 10;
const CLAMP: u32 = 11;
const POW_SCALAR: u32 = 12;
const SCALAR_POW: u32 = 13;
const STD: u32 = 14;

fn unary_bwd_x_cpu<T: Real>(args: &mut Args<'_>) {
    let params: Params = args.params();
    let (k, dy, dx): (&[T], &[T], &mut [T]) = (args.input(0), args.input(1), args.output(0));
    let (p, q) = (T::of(params.p), T::of(params.q));
    let (zero, one, half) = (T::zero(), T::one(), T::of(0.5));
    match args.constant("OP") {
        ABS => mirror::zip_map(k, dy, dx, move |k: T, dy| dy * sign_of(k)),
        SQUARE => mirror::zip_map(k, dy, dx, move |k: T, dy| dy * (k + k)),
        SQRT => mirror::zip_map(k, dy, dx, move |k: T, dy| dy / (k + k)),
        RSQRT => mirror::zip_map(k, dy, dx, move |k: T, dy| dy * -half * (k * k * k)),
        LOG1P => mirror::zip_map(k, dy, dx, move |k: T, dy| dy / (one + k)),
        EXPM1 => mirror::zip_map(k, dy, dx, move |k: T, dy| dy * (one + k)),
        SIN => mirror::zip_map(k, dy, dx, move |k: T, dy| dy * k.cos()),
        COS => mirror::zip_map(k, dy, dx, move |k: T, dy| -dy * k.sin()),
        TAN => mirror::zip_map(k, dy, dx, move |k: T, dy| dy * (one + k * k)),
        RECIPROCAL => mirror::zip_map(k, dy, dx, move |k: T, dy| -dy * k * k),
        ERF => mirror::zip_map(k, dy, dx, move |k: T, dy| dy * T::of(FRAC_2_SQRT_PI) * (-k * k).quick_exp()),
        CLAMP => mirror::zip_map(k, dy, dx, move |k: T, dy| if k >= p && k <= q { dy } else { zero }),
        POW_SCALAR => mirror::zip_map(k, dy, dx, move |k: T, dy| if p == zero { zero } else { dy * (p * raised(k, q)) }),
        SCALAR_POW => mirror::zip_map(k, dy, dx, move |k: T, dy| if p == zero && k >= zero { zero } else { dy * (p.powf(k) * q) }),
        _ => mirror::zip_map(k, dy, dx, move |k: T, dy| if k == zero { zero } else { dy * half / k }),
    }
}

#[track_caller]
fn backward(name: &str, op: u32, kept: &str, k: &Tensor, dy: &Tensor, [p, q]: [f32; 2]) -> Tensor {
    let named = [(kept, k), ("dy", dy)];
    expect::f32s(name, &named);
    expect::one_shape(name, &named);
    let dx = Tensor::empty(k.device(), k.shape());
    UNARY_BWD_X.with(&[("OP", op)]).launch(Params { len: k.len() as u32, p, q }, &[k, dy], &[&dx], grid(k.len()));
    dx
}

/// dX of [`abs`](super::abs) from `x`: `dy sign(x)`, 0 at 0. What PyTorch's autograd computes for `torch.abs`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let [x, dy] = [-2.0, 3.0].map(|v| Tensor::scalar(&Device::Cpu, v));
/// assert_eq!(ops::abs_bwd_x(&x, &dy).item()?, -3.0);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn abs_bwd_x(x: &Tensor, dy: &Tensor) -> Tensor {
    backward("abs_bwd_x", ABS, "x", x, dy, [0.0; 2])
}

/// dX of [`square`](super::square) from `x`: `2 x dy`. What PyTorch's autograd computes for `torch.square`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let [x, dy] = [-2.0, 3.0].map(|v| Tensor::scalar(&Device::Cpu, v));
/// assert_eq!(ops::square_bwd_x(&x, &dy).item()?, -12.0);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn square_bwd_x(x: &Tensor, dy: &Tensor) -> Tensor {
    backward("square_bwd_x", SQUARE, "x", x, dy, [0.0; 2])
}

/// dX of [`sqrt`](super::sqrt) from its output `y`: `dy / (2 y)`. What PyTorch's autograd computes for `torch.sqrt`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let [y, dy] = [2.0, 3.0].map(|v| Tensor::scalar(&Device::Cpu, v));
/// assert_eq!(ops::sqrt_bwd_x(&y, &dy).item()?, 0.75);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn sqrt_bwd_x(y: &Tensor, dy: &Tensor) -> Tensor {
    backward("sqrt_bwd_x", SQRT, "y", y, dy, [0.0; 2])
}

/// dX of [`rsqrt`](super::rsqrt) from its output `y`: `-dy y^3 / 2`. What PyTorch's autograd computes for `torch.rsqrt`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let [y, dy] = [2.0, 3.0].map(|v| Tensor::scalar(&Device::Cpu, v));
/// assert_eq!(ops::rsqrt_bwd_x(&y, &dy).item()?, -12.0);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn rsqrt_bwd_x(y: &Tensor, dy: &Tensor) -> Tensor {
    backward("rsqrt_bwd_x", RSQRT, "y", y, dy, [0.0; 2])
}

/// dX of [`log1p`](super::log1p) from `x`: `dy / (1 + x)`. What PyTorch's autograd computes for `torch.log1p`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let [x, dy] = [1.0, 3.0].map(|v| Tensor::scalar(&Device::Cpu, v));
/// assert_eq!(ops::log1p_bwd_x(&x, &dy).item()?, 1.5);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn log1p_bwd_x(x: &Tensor, dy: &Tensor) -> Tensor {
    backward("log1p_bwd_x", LOG1P, "x", x, dy, [0.0; 2])
}

/// dX of [`expm1`](super::expm1) from its output `y`: `dy (1 + y)`. What PyTorch's autograd computes for `torch.expm1`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let [y, dy] = [1.0, 3.0].map(|v| Tensor::scalar(&Device::Cpu, v));
/// assert_eq!(ops::expm1_bwd_x(&y, &dy).item()?, 6.0);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn expm1_bwd_x(y: &Tensor, dy: &Tensor) -> Tensor {
    backward("expm1_bwd_x", EXPM1, "y", y, dy, [0.0; 2])
}

/// dX of [`sin`](super::sin) from `x`: `dy cos(x)`. What PyTorch's autograd computes for `torch.sin`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let [x, dy] = [0.0, 3.0].map(|v| Tensor::scalar(&Device::Cpu, v));
/// assert_eq!(ops::sin_bwd_x(&x, &dy).item()?, 3.0);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn sin_bwd_x(x: &Tensor, dy: &Tensor) -> Tensor {
    backward("sin_bwd_x", SIN, "x", x, dy, [0.0; 2])
}

/// dX of [`cos`](super::cos) from `x`: `-dy sin(x)`. What PyTorch's autograd computes for `torch.cos`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let [x, dy] = [0.0, 3.0].map(|v| Tensor::scalar(&Device::Cpu, v));
/// assert_eq!(ops::cos_bwd_x(&x, &dy).item()?, 0.0);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn cos_bwd_x(x: &Tensor, dy: &Tensor) -> Tensor {
    backward("cos_bwd_x", COS, "x", x, dy, [0.0; 2])
}

/// dX of [`tan`](super::tan) from its output `y`: `dy (1 + y^2)`. What PyTorch's autograd computes for `torch.tan`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let [y, dy] = [2.0, 3.0].map(|v| Tensor::scalar(&Device::Cpu, v));
/// assert_eq!(ops::tan_bwd_x(&y, &dy).item()?, 15.0);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn tan_bwd_x(y: &Tensor, dy: &Tensor) -> Tensor {
    backward("tan_bwd_x", TAN, "y", y, dy, [0.0; 2])
}

/// dX of [`reciprocal`](super::reciprocal) from its output `y`: `-dy y^2`. What PyTorch's autograd computes for `torch.reciprocal`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let [y, dy] = [2.0, 3.0].map(|v| Tensor::scalar(&Device::Cpu, v));
/// assert_eq!(ops::reciprocal_bwd_x(&y, &dy).item()?, -12.0);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn reciprocal_bwd_x(y: &Tensor, dy: &Tensor) -> Tensor {
    backward("reciprocal_bwd_x", RECIPROCAL, "y", y, dy, [0.0; 2])
}

/// dX of [`erf`](super::erf) from `x`: `dy 2 / sqrt(pi) exp(-x^2)`. What PyTorch's autograd computes for `torch.erf`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let [x, dy] = [30.0, 3.0].map(|v| Tensor::scalar(&Device::Cpu, v));
/// assert_eq!(ops::erf_bwd_x(&x, &dy).item()?, 0.0);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn erf_bwd_x(x: &Tensor, dy: &Tensor) -> Tensor {
    backward("erf_bwd_x", ERF, "x", x, dy, [0.0; 2])
}

/// dX of [`clamp`](super::clamp): `dy` within the bounds and at them, 0 outside. What PyTorch's autograd computes for `torch.clamp`.
///
/// # Panics
/// If `min` is over `max`, the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [3], &[-2.0f32, 1.0, 2.0]);
/// let dy = Tensor::full(&Device::Cpu, [3], 3.0);
/// assert_eq!(ops::clamp_bwd_x(&x, &dy, -1.0, 1.0).to_vec()?, [0.0, 3.0, 0.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn clamp_bwd_x(x: &Tensor, dy: &Tensor, min: f32, max: f32) -> Tensor {
    expect_range("clamp_bwd_x", min, max, x);
    backward("clamp_bwd_x", CLAMP, "x", x, dy, [min, max])
}

/// dX of [`pow_scalar`](super::pow_scalar): `dy exponent x^(exponent - 1)`, and 0 for an exponent of 0. What PyTorch's autograd
/// computes for `torch.pow(x, exponent)`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let [x, dy] = [-2.0, 3.0].map(|v| Tensor::scalar(&Device::Cpu, v));
/// assert_eq!(ops::pow_scalar_bwd_x(&x, &dy, 3.0).item()?, 36.0);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn pow_scalar_bwd_x(x: &Tensor, dy: &Tensor, exponent: f32) -> Tensor {
    backward("pow_scalar_bwd_x", POW_SCALAR, "x", x, dy, [exponent, exponent - 1.0])
}

/// dX of [`scalar_pow`](super::scalar_pow): `dy base^x ln(base)`; for a base of 0 it is 0 where `x` is not negative. What PyTorch's
/// autograd computes for `torch.pow(base, x)`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let [x, dy] = [3.0, 1.0].map(|v| Tensor::scalar(&Device::Cpu, v));
/// assert_eq!(ops::scalar_pow_bwd_x(2.0, &x, &dy).item()?, 8.0 * 2f32.ln());
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn scalar_pow_bwd_x(base: f32, x: &Tensor, dy: &Tensor) -> Tensor {
    backward("scalar_pow_bwd_x", SCALAR_POW, "x", x, dy, [base, base.ln()])
}

/// The gradient of a variance from that of its root `y` ([`std`](crate::ops::std)): `dy / (2 y)`, and 0 where `y` is 0, where the root
/// has no slope. What PyTorch's autograd computes within `torch.std`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let y = Tensor::from_slice(&Device::Cpu, [2], &[2.0f32, 0.0]);
/// assert_eq!(ops::std_bwd_var(&y, &Tensor::full(&Device::Cpu, [2], 3.0)).to_vec()?, [0.75, 0.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn std_bwd_var(y: &Tensor, dy: &Tensor) -> Tensor {
    backward("std_bwd_var", STD, "y", y, dy, [0.0; 2])
}
