//! What the functions are made of, in either precision.

use crate::mirror::Real;

/// The error function; in f32 by the function of f32, which is twice as fast.
fn erf<T: Real>(x: T) -> T {
    let wide: f64 = x.into();
    if size_of::<T>() == 4 { T::of(libm::erff(wide as f32)) } else { T::of(libm::erf(wide)) }
}

pub(super) fn logistic<T: Real>(x: T) -> T {
    (T::one() + (-x).exp()).recip()
}

pub(super) fn normal_cdf<T: Real>(x: T) -> T {
    T::of(0.5) * (T::one() + erf(x * T::of(std::f64::consts::FRAC_1_SQRT_2)))
}

pub(super) fn normal_pdf<T: Real>(x: T) -> T {
    T::of(1.0 / std::f64::consts::TAU.sqrt()) * (T::of(-0.5) * x * x).exp()
}

/// The argument of GELU's `tanh`.
pub(super) fn gelu_inner<T: Real>(x: T) -> T {
    T::of((2.0 / std::f64::consts::PI).sqrt()) * (x + T::of(0.044715) * (x * x * x))
}

/// Its derivative.
pub(super) fn gelu_slope<T: Real>(x: T) -> T {
    T::of((2.0 / std::f64::consts::PI).sqrt()) * (T::one() + T::of(3.0 * 0.044715) * x * x)
}

/// `tanh(softplus(x))`; beyond 20 it is 1, and an exponential could overflow.
pub(super) fn mish_factor<T: Real>(x: T) -> T {
    if x > T::of(20.0) { T::one() } else { x.exp().ln_1p().tanh() }
}

/// By comparisons that let a NaN through: it must not be hidden by the next layer.
pub(super) fn limit<T: Real>(x: T, low: f64, high: f64) -> T {
    if x < T::of(low) {
        T::of(low)
    } else if x > T::of(high) {
        T::of(high)
    } else {
        x
    }
}
