//! The formulas as PyTorch writes them, in either precision.

use super::params::{Params, kind};
use crate::kernel::Args;
use crate::mirror::{Real, map, zip_map};

/// The error function; in f32 by the function of f32, which is twice as fast.
fn erf<T: Real>(x: T) -> T {
    let wide: f64 = x.into();
    if size_of::<T>() == 4 { T::of(libm::erff(wide as f32)) } else { T::of(libm::erf(wide)) }
}

fn sigmoid<T: Real>(x: T) -> T {
    (T::one() + (-x).exp()).recip()
}

fn cdf<T: Real>(x: T) -> T {
    T::of(0.5) * (T::one() + erf(x * T::of(std::f64::consts::FRAC_1_SQRT_2)))
}

fn gelu_inner<T: Real>(x: T) -> T {
    T::of((2.0 / std::f64::consts::PI).sqrt()) * (x + T::of(0.044715) * (x * x * x))
}

/// `tanh(softplus(x))`; beyond 20 it is 1, and an exponential could overflow.
fn mish_factor<T: Real>(x: T) -> T {
    if x > T::of(20.0) { T::one() } else { x.exp().ln_1p().tanh() }
}

// Comparisons that let a NaN through: it must not be hidden by the next layer.
fn limit<T: Real>(x: T, low: f64, high: f64) -> T {
    if x < T::of(low) {
        T::of(low)
    } else if x > T::of(high) {
        T::of(high)
    } else {
        x
    }
}

pub(super) fn activation_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (a, b, zero, one) = (T::of(p.a), T::of(p.b), T::zero(), T::one());
    let (x, y): (&[T], &mut [T]) = (args.input(0), args.output(0));
    match args.constant("KIND") {
        kind::RELU => map(x, y, |x| if x <= zero { zero } else { x }),
        kind::LEAKY_RELU => map(x, y, |x| if x > zero { x } else { a * x }),
        kind::RELU6 => map(x, y, |x| limit(x, 0.0, 6.0)),
        kind::ELU => map(x, y, |x| b * if x < zero { a * x.exp_m1() } else { x }),
        kind::HARDSIGMOID => map(x, y, |x| limit(x + T::of(3.0), 0.0, 6.0) / T::of(6.0)),
        kind::HARDSWISH => map(x, y, |x| x * limit(x + T::of(3.0), 0.0, 6.0) / T::of(6.0)),
        kind::SIGMOID => map(x, y, sigmoid),
        kind::TANH => map(x, y, T::tanh),
        kind::SOFTPLUS => map(x, y, |x| if a * x > b { x } else { (a * x).exp().ln_1p() / a }),
        kind::SILU => map(x, y, |x| x * sigmoid(x)),
        kind::GELU => map(x, y, |x| x * cdf(x)),
        kind::GELU_TANH => map(x, y, |x| T::of(0.5) * x * (one + gelu_inner(x).tanh())),
        _ => map(x, y, |x| x * mish_factor(x)),
    }
}

pub(super) fn activation_bwd_x_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (a, b, zero, one) = (T::of(p.a), T::of(p.b), T::zero(), T::one());
    let (v, dy, dx): (&[T], &[T], &mut [T]) = (args.input(0), args.input(1), args.output(0));
    match args.constant("KIND") {
        kind::RELU => zip_map(v, dy, dx, |y, dy| if y <= zero { zero } else { dy }),
        kind::LEAKY_RELU => zip_map(v, dy, dx, |v, dy| if v > zero { dy } else { a * dy }),
        kind::RELU6 => zip_map(v, dy, dx, |y, dy| if y > zero && y < T::of(6.0) { dy } else { zero }),
        kind::ELU => zip_map(v, dy, dx, |y, dy| dy * if y <= zero { y + a * b } else { b }),
        kind::HARDSIGMOID => zip_map(v, dy, dx, |y, dy| if y > zero && y < one { dy / T::of(6.0) } else { zero }),
        kind::HARDSWISH => zip_map(v, dy, dx, |x, dy| {
            if x <= T::of(-3.0) {
                zero
            } else if x < T::of(3.0) {
                dy * (x / T::of(3.0) + T::of(0.5))
            } else {
                dy
            }
        }),
        kind::SIGMOID => zip_map(v, dy, dx, |y, dy| dy * (y * (one - y))),
        kind::TANH => zip_map(v, dy, dx, |y, dy| dy * ((one - y) * (one + y))),
        kind::SOFTPLUS => zip_map(v, dy, dx, |x, dy| if a * x > b { dy } else { dy * sigmoid(a * x) }),
        kind::SILU => zip_map(v, dy, dx, |x, dy| dy * (sigmoid(x) * (one + x * (one - sigmoid(x))))),
        kind::GELU => zip_map(v, dy, dx, |x, dy| {
            let pdf = T::of(1.0 / std::f64::consts::TAU.sqrt()) * (T::of(-0.5) * x * x).exp();
            dy * (cdf(x) + x * pdf)
        }),
        kind::GELU_TANH => zip_map(v, dy, dx, |x, dy| {
            let (t, half) = (gelu_inner(x).tanh(), T::of(0.5));
            let slope = T::of((2.0 / std::f64::consts::PI).sqrt()) * (one + T::of(3.0 * 0.044715) * x * x);
            dy * (half * (one + t) + half * x * (one - t * t) * slope)
        }),
        _ => zip_map(v, dy, dx, |x, dy| {
            let t = mish_factor(x);
            dy * (t + x * sigmoid(x) * (one - t * t))
        }),
    }
}
