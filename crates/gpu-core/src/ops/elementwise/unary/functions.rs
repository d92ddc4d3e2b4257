//! The functions of `x` alone, and the mirror of all.

use super::{Params, WGSL, grid};
use crate::expect;
use crate::kernel::{Args, Kernel, kernel};
use crate::mirror::{self, Real};
use crate::tensor::Tensor;

pub(super) static UNARY: Kernel = kernel!(WGSL, "unary", unary_cpu);

const NEG: u32 = 0;
const ABS: u32 = 1;
const SIGN: u32 = 2;
const SQUARE: u32 = 3;
pub(super) const SQRT: u32 = 4;
pub(super) const RSQRT: u32 = 5;
const EXP: u32 = 6;
const LOG: u32 = 7;
const LOG1P: u32 = 8;
const EXPM1: u32 = 9;
const SIN: u32 = 10;
const COS: u32 = 11;
const TAN: u32 = 12;
const FLOOR: u32 = 13;
const CEIL: u32 = 14;
const ROUND: u32 = 15;
pub(super) const RECIPROCAL: u32 = 16;
const ERF: u32 = 17;
pub(super) const CLAMP: u32 = 18;
pub(super) const ADD_SCALAR: u32 = 19;
pub(super) const POW_SCALAR: u32 = 20;
pub(super) const SCALAR_POW: u32 = 21;

// Each function has a loop of its own, which vectorises where it can.
fn unary_cpu<T: Real>(args: &mut Args<'_>) {
    let params: Params = args.params();
    let (x, y): (&[T], &mut [T]) = (args.input(0), args.output(0));
    let (p, q) = (T::of(params.p), T::of(params.q));
    match args.constant("OP") {
        NEG => mirror::map(x, y, move |v: T| -v),
        ABS => mirror::map(x, y, T::abs),
        SIGN => mirror::map(x, y, sign_of),
        SQUARE => mirror::map(x, y, move |v: T| v * v),
        SQRT => mirror::map(x, y, T::sqrt),
        RSQRT => mirror::map(x, y, move |v: T| v.sqrt().recip()),
        EXP => mirror::map(x, y, T::quick_exp),
        LOG => mirror::map(x, y, T::quick_ln),
        LOG1P => mirror::map(x, y, T::quick_ln_1p),
        EXPM1 => mirror::map(x, y, T::quick_exp_m1),
        SIN => mirror::map(x, y, T::sin),
        COS => mirror::map(x, y, T::cos),
        TAN => mirror::map(x, y, T::tan),
        FLOOR => mirror::map(x, y, T::floor),
        CEIL => mirror::map(x, y, T::ceil),
        ROUND => mirror::map(x, y, round_to_even),
        RECIPROCAL => mirror::map(x, y, T::recip),
        ERF => mirror::map(x, y, T::quick_erf),
        CLAMP => mirror::map(x, y, move |v: T| {
            let raised = if v < p { p } else { v };
            if raised > q { q } else { raised }
        }),
        ADD_SCALAR => mirror::map(x, y, move |v: T| v + p),
        POW_SCALAR => mirror::map(x, y, move |v: T| raised(v, p)),
        _ => mirror::map(x, y, move |v: T| p.powf(v)),
    }
}

/// A power with one exponent: the small ones by multiplication, as exact as that.
pub(super) fn raised<T: Real>(v: T, e: T) -> T {
    match e.to_f64() {
        Some(1.0) => v,
        Some(2.0) => v * v,
        Some(3.0) => v * v * v,
        _ => v.powf(e),
    }
}

/// -1, 0 or 1; 0 of a NaN, as in PyTorch.
pub(super) fn sign_of<T: Real>(v: T) -> T {
    let of = |holds: bool| if holds { T::one() } else { T::zero() };
    of(v > T::zero()) - of(v < T::zero())
}

/// Halves go to the even neighbour, as in WGSL and in PyTorch; `Float::round` takes them away from zero.
fn round_to_even<T: Real>(v: T) -> T {
    let half = T::of(0.5);
    if v.fract().abs() == half { (v * half).round() / half } else { v.round() }
}

#[track_caller]
pub(super) fn unary(name: &str, op: u32, x: &Tensor, [p, q]: [f32; 2]) -> Tensor {
    expect::f32s(name, &[("x", x)]);
    let y = Tensor::empty(x.device(), x.shape());
    UNARY.with(&[("OP", op)]).launch(Params { len: x.len() as u32, p, q }, &[x], &[&y], grid(x.len()));
    y
}

/// `-x`. Equivalent of `torch.neg`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[1.0f32, -2.0]);
/// assert_eq!(ops::neg(&x).to_vec()?, [-1.0, 2.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn neg(x: &Tensor) -> Tensor {
    unary("neg", NEG, x, [0.0; 2])
}

/// `|x|`. Equivalent of `torch.abs`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[1.0f32, -2.0]);
/// assert_eq!(ops::abs(&x).to_vec()?, [1.0, 2.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn abs(x: &Tensor) -> Tensor {
    unary("abs", ABS, x, [0.0; 2])
}

/// -1, 0 or 1 by the sign of `x`; 0 of a NaN. Equivalent of `torch.sign`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[0.5f32, -2.0]);
/// assert_eq!(ops::sign(&x).to_vec()?, [1.0, -1.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn sign(x: &Tensor) -> Tensor {
    unary("sign", SIGN, x, [0.0; 2])
}

/// `x * x`. Equivalent of `torch.square`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[3.0f32, -2.0]);
/// assert_eq!(ops::square(&x).to_vec()?, [9.0, 4.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn square(x: &Tensor) -> Tensor {
    unary("square", SQUARE, x, [0.0; 2])
}

/// The square root; a NaN below zero. Equivalent of `torch.sqrt`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[9.0f32, 0.25]);
/// assert_eq!(ops::sqrt(&x).to_vec()?, [3.0, 0.5]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn sqrt(x: &Tensor) -> Tensor {
    unary("sqrt", SQRT, x, [0.0; 2])
}

/// One over the square root. Equivalent of `torch.rsqrt`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[4.0f32, 0.25]);
/// assert_eq!(ops::rsqrt(&x).to_vec()?, [0.5, 2.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn rsqrt(x: &Tensor) -> Tensor {
    unary("rsqrt", RSQRT, x, [0.0; 2])
}

/// `e^x`. Equivalent of `torch.exp`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[0.0f32, f32::NEG_INFINITY]);
/// assert_eq!(ops::exp(&x).to_vec()?, [1.0, 0.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn exp(x: &Tensor) -> Tensor {
    unary("exp", EXP, x, [0.0; 2])
}

/// The natural logarithm; a NaN below zero. Equivalent of `torch.log`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[1.0f32, 0.0]);
/// assert_eq!(ops::log(&x).to_vec()?, [0.0, f32::NEG_INFINITY]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn log(x: &Tensor) -> Tensor {
    unary("log", LOG, x, [0.0; 2])
}

/// `ln(1 + x)`, right for small `x` too. Equivalent of `torch.log1p`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[0.0f32, 1e-8]);
/// assert_eq!(ops::log1p(&x).to_vec()?, [0.0, 1e-8]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn log1p(x: &Tensor) -> Tensor {
    unary("log1p", LOG1P, x, [0.0; 2])
}

/// `e^x - 1`, right for small `x` too. Equivalent of `torch.expm1`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[0.0f32, 1e-8]);
/// assert_eq!(ops::expm1(&x).to_vec()?, [0.0, 1e-8]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn expm1(x: &Tensor) -> Tensor {
    unary("expm1", EXPM1, x, [0.0; 2])
}

/// The sine of `x` radians. On a GPU right to 1e-6 up to 10,000 radians; beyond, digits are lost. Equivalent of `torch.sin`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[0.0f32, 0.0]);
/// assert_eq!(ops::sin(&x).to_vec()?, [0.0, 0.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn sin(x: &Tensor) -> Tensor {
    unary("sin", SIN, x, [0.0; 2])
}

/// The cosine of `x` radians; as exact as [`sin`]. Equivalent of `torch.cos`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[0.0f32, 0.0]);
/// assert_eq!(ops::cos(&x).to_vec()?, [1.0, 1.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn cos(x: &Tensor) -> Tensor {
    unary("cos", COS, x, [0.0; 2])
}

/// The tangent of `x` radians. Equivalent of `torch.tan`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[0.0f32, 0.0]);
/// assert_eq!(ops::tan(&x).to_vec()?, [0.0, 0.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn tan(x: &Tensor) -> Tensor {
    unary("tan", TAN, x, [0.0; 2])
}

/// The next integer below. Equivalent of `torch.floor`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[1.5f32, -1.5]);
/// assert_eq!(ops::floor(&x).to_vec()?, [1.0, -2.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn floor(x: &Tensor) -> Tensor {
    unary("floor", FLOOR, x, [0.0; 2])
}

/// The next integer above. Equivalent of `torch.ceil`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[1.5f32, -1.5]);
/// assert_eq!(ops::ceil(&x).to_vec()?, [2.0, -1.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn ceil(x: &Tensor) -> Tensor {
    unary("ceil", CEIL, x, [0.0; 2])
}

/// The nearest integer, of two the even one. Equivalent of `torch.round`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[1.5f32, 2.5]);
/// assert_eq!(ops::round(&x).to_vec()?, [2.0, 2.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn round(x: &Tensor) -> Tensor {
    unary("round", ROUND, x, [0.0; 2])
}

/// `1 / x`. Equivalent of `torch.reciprocal`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[4.0f32, -0.5]);
/// assert_eq!(ops::reciprocal(&x).to_vec()?, [0.25, -2.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn reciprocal(x: &Tensor) -> Tensor {
    unary("reciprocal", RECIPROCAL, x, [0.0; 2])
}

/// The error function, `2 / sqrt(pi)` times the integral of `exp(-t^2)` from 0 to `x`. Equivalent of `torch.erf`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[0.0f32, 9.0]);
/// assert_eq!(ops::erf(&x).to_vec()?, [0.0, 1.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn erf(x: &Tensor) -> Tensor {
    unary("erf", ERF, x, [0.0; 2])
}
