//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::ops::{
    abs, abs_bwd_x, add_scalar, ceil, clamp, clamp_bwd_x, cos, cos_bwd_x, erf, erf_bwd_x, exp, expm1, expm1_bwd_x, floor, isfinite,
    isinf, isnan, log, log1p, log1p_bwd_x, neg, pow_scalar, pow_scalar_bwd_x, reciprocal, reciprocal_bwd_x, round, rsqrt,
    rsqrt_bwd_x, scalar_pow, scalar_pow_bwd_x, sign, sin, sin_bwd_x, sqrt, sqrt_bwd_x, square, square_bwd_x, std_bwd_var, tan,
    tan_bwd_x,
};
use gpu_core::{Device, Tensor};

pub fn wrong_calls() -> Vec<Misuse> {
    fn words(device: &Device) -> Tensor {
        Tensor::from_slice(device, [2], &[1u32, 2])
    }
    fn zeros(device: &Device, n: usize) -> Tensor {
        Tensor::zeros(device, [n])
    }
    /// Of each function of `x`: a wrong type.
    macro_rules! of_x {
        ($($name:literal $f:expr),*) => {
            vec![$(misuse!($name, ["x holds u32, not f32", "x [2]"], |device| $f(&words(device)))),*]
        };
    }
    /// Of each gradient: two shapes, two types, two devices.
    macro_rules! of_dy {
        ($($name:literal $f:expr),*) => {
            vec![$(
                misuse!($name, ["the shapes differ", " [2], dy [3]"], |device| $f(&zeros(device, 2), &zeros(device, 3))),
                misuse!($name, ["dy holds u32, not f32", " [2], dy [2]"], |device| $f(&zeros(device, 2), &words(device))),
                misuse!($name, ["dy on CPU", " [2], dy [2]"], |device| $f(&zeros(device, 2), &zeros(&Device::Cpu, 2))),
            )*]
        };
    }
    let mut rows = of_x!("neg" neg, "abs" abs, "sign" sign, "square" square, "sqrt" sqrt, "rsqrt" rsqrt, "exp" exp, "log" log);
    rows.extend(of_x!("log1p" log1p, "expm1" expm1, "sin" sin, "cos" cos, "tan" tan, "floor" floor, "ceil" ceil));
    rows.extend(of_x!("round" round, "reciprocal" reciprocal, "erf" erf, "isnan" isnan, "isinf" isinf, "isfinite" isfinite));
    rows.extend(of_x!("add_scalar" |x: &_| add_scalar(x, 1.0), "clamp" |x: &_| clamp(x, 0.0, 1.0)));
    rows.extend(of_x!("pow_scalar" |x: &_| pow_scalar(x, 2.0), "scalar_pow" |x: &_| scalar_pow(2.0, x)));
    rows.extend(of_dy!("abs_bwd_x" abs_bwd_x, "square_bwd_x" square_bwd_x, "sqrt_bwd_x" sqrt_bwd_x, "rsqrt_bwd_x" rsqrt_bwd_x));
    rows.extend(of_dy!("log1p_bwd_x" log1p_bwd_x, "expm1_bwd_x" expm1_bwd_x, "sin_bwd_x" sin_bwd_x, "cos_bwd_x" cos_bwd_x));
    rows.extend(of_dy!("tan_bwd_x" tan_bwd_x, "reciprocal_bwd_x" reciprocal_bwd_x, "erf_bwd_x" erf_bwd_x));
    rows.extend(of_dy!("std_bwd_var" std_bwd_var, "clamp_bwd_x" |x: &_, dy: &_| clamp_bwd_x(x, dy, 0.0, 1.0)));
    rows.extend(of_dy!("pow_scalar_bwd_x" |x: &_, dy: &_| pow_scalar_bwd_x(x, dy, 2.0)));
    rows.extend(of_dy!("scalar_pow_bwd_x" |x: &_, dy: &_| scalar_pow_bwd_x(2.0, x, dy)));
    rows.extend(vec![
        misuse!("clamp", ["the bounds 2 and 1", "x [2]"], |device| clamp(&zeros(device, 2), 2.0, 1.0)),
        misuse!("clamp_bwd_x", ["the bounds NaN and 1", "x [2]"], |device| {
            clamp_bwd_x(&zeros(device, 2), &zeros(device, 2), f32::NAN, 1.0)
        }),
    ]);
    rows
}
