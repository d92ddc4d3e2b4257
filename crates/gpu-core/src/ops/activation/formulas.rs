//! What the functions are made of, in either precision.

use crate::mirror::Real;

#[inline(always)]
pub(super) fn normal_cdf<T: Real>(x: T) -> T {
    T::of(0.5) * (T::one() + (x * T::of(std::f64::consts::FRAC_1_SQRT_2)).quick_erf())
}

#[inline(always)]
pub(super) fn normal_pdf<T: Real>(x: T) -> T {
    T::of(1.0 / std::f64::consts::TAU.sqrt()) * (T::of(-0.5) * x * x).quick_exp()
}

/// The argument of GELU's `tanh`.
#[inline(always)]
pub(super) fn gelu_inner<T: Real>(x: T) -> T {
    T::of((2.0 / std::f64::consts::PI).sqrt()) * (x + T::of(0.044715) * (x * x * x))
}

/// Its derivative.
#[inline(always)]
pub(super) fn gelu_slope<T: Real>(x: T) -> T {
    T::of((2.0 / std::f64::consts::PI).sqrt()) * (T::one() + T::of(3.0 * 0.044715) * x * x)
}

/// `tanh(softplus(x))` as `n / (n + 2)` with `n = e (e + 2)` and `e = exp(x)`; beyond 20 it is 1, and the square could overflow.
#[inline(always)]
pub(super) fn mish_factor<T: Real>(x: T) -> T {
    let e = (if x > T::of(20.0) { T::of(20.0) } else { x }).quick_exp();
    let n = e * (e + T::of(2.0));
    n / (n + T::of(2.0))
}

/// By comparisons that let a NaN through: it must not be hidden by the next layer.
#[inline(always)]
pub(super) fn limit<T: Real>(x: T, low: f64, high: f64) -> T {
    if x < T::of(low) {
        T::of(low)
    } else if x > T::of(high) {
        T::of(high)
    } else {
        x
    }
}
