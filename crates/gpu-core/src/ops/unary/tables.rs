//! What is proved, what is timed, and what is refused.

use super::*;
use crate::check::{self, Bench, Bound, Case};
use crate::device::Device;
use crate::tensor::Tensor;

/// A unit in the last place is at most this fraction.
const ULP: f32 = 1.0 / 8_388_608.0;

/// `values * factor + offset`.
fn values(device: &Device, len: usize, factor: f32, offset: f32) -> Tensor {
    let values: Vec<f32> = check::input_values(device, len, 1).iter().map(|v| v * factor + offset).collect();
    Tensor::from_slice(device, [len], &values)
}

/// Halves: what roundings and bounds meet.
fn halves(device: &Device, len: usize) -> Tensor {
    let values: Vec<f32> = check::input_integers(device, len, 1).iter().map(|v| v * 0.5).collect();
    Tensor::from_slice(device, [len], &values)
}

type Function = fn(&Tensor) -> Tensor;
type Gradient = fn(&Tensor, &Tensor) -> Tensor;

pub(in crate::ops) fn cases() -> Vec<Case> {
    use Bound::{Exact, Relative};
    // Of what WGSL (section "floating point accuracy") and the approximations here promise, in units in the last place: exp 3 + 2|x|,
    // log 3, or 2^-21 between a half and two, sqrt 5, inverseSqrt 2, division 2.5, pow as exp2(e log2(x)), and one a product or sum.
    let functions: [(&'static str, Function, f32, f32, Bound); 21] = [
        ("neg", neg, 1.0, 0.0, Exact),
        ("abs", abs, 1.0, 0.0, Exact),
        ("square", square, 1.0, 0.0, Exact),
        ("sqrt", sqrt, 1.0, 1.0, Relative(5.0 * ULP)),
        ("rsqrt", rsqrt, 1.0, 1.5, Relative(3.0 * ULP)),
        ("exp", exp, 4.0, 0.0, Relative(11.0 * ULP)),
        ("log", log, 1.0, 1.25, Relative(4.0 * ULP)),
        ("log1p", log1p, 0.9, 0.0, Relative(6.0 * ULP)),
        ("expm1", expm1, 4.0, 0.0, Relative(12.0 * ULP)),
        ("sin", sin, 10.0, 0.0, Relative(4.0 * ULP)),
        ("cos", cos, 1e4, 0.0, Relative(8.0 * ULP)),
        ("tan", tan, 1.0, 0.0, Relative(12.0 * ULP)),
        ("reciprocal", reciprocal, 1.0, 1.5, Relative(3.0 * ULP)),
        ("erf", erf, 4.0, 0.0, Relative(6.0 * ULP)),
        ("add_scalar", |x| add_scalar(x, 0.7), 1.0, 0.0, Exact),
        ("pow_scalar", |x| pow_scalar(x, 2.0), 1.0, 0.0, Exact),
        ("pow_scalar", |x| pow_scalar(x, 3.0), 1.0, 0.0, Relative(2.0 * ULP)),
        ("pow_scalar", |x| pow_scalar(x, -2.3), 1.0, 1.5, Relative(20.0 * ULP)),
        ("pow_scalar", |x| pow_scalar(x, -0.5), 1.0, 1.5, Relative(3.0 * ULP)),
        ("scalar_pow", |x| scalar_pow(2.5, x), 4.0, 0.0, Relative(28.0 * ULP)),
        ("clamp", |x| clamp(x, -0.5, 0.25), 1.0, 0.0, Exact),
    ];
    let exact: [(&'static str, Function); 8] = [
        ("sign", sign),
        ("floor", floor),
        ("ceil", ceil),
        ("round", round),
        ("clamp", |x| clamp(x, -1.0, 0.5)),
        ("isnan", |x| isnan(&log(x))),
        ("isinf", |x| isinf(&log(x))),
        ("isfinite", |x| isfinite(&log(x))),
    ];
    let gradients: [(&'static str, Gradient, Bound); 18] = [
        ("abs_bwd_x", abs_bwd_x, Exact),
        ("square_bwd_x", square_bwd_x, Exact),
        ("sqrt_bwd_x", sqrt_bwd_x, Relative(4.0 * ULP)),
        ("rsqrt_bwd_x", rsqrt_bwd_x, Relative(3.0 * ULP)),
        ("log1p_bwd_x", log1p_bwd_x, Relative(5.0 * ULP)),
        ("expm1_bwd_x", expm1_bwd_x, Relative(2.0 * ULP)),
        ("sin_bwd_x", sin_bwd_x, Relative(5.0 * ULP)),
        ("cos_bwd_x", cos_bwd_x, Relative(5.0 * ULP)),
        ("tan_bwd_x", tan_bwd_x, Relative(3.0 * ULP)),
        ("reciprocal_bwd_x", reciprocal_bwd_x, Relative(2.0 * ULP)),
        ("erf_bwd_x", erf_bwd_x, Relative(12.0 * ULP)),
        ("clamp_bwd_x", |x, dy| clamp_bwd_x(x, dy, 0.5, 1.25), Exact),
        ("pow_scalar_bwd_x", |x, dy| pow_scalar_bwd_x(x, dy, 3.0), Relative(4.0 * ULP)),
        ("pow_scalar_bwd_x", |x, dy| pow_scalar_bwd_x(x, dy, -0.7), Relative(20.0 * ULP)),
        ("pow_scalar_bwd_x", |x, dy| pow_scalar_bwd_x(x, dy, 0.0), Exact),
        ("scalar_pow_bwd_x", |x, dy| scalar_pow_bwd_x(2.5, x, dy), Relative(24.0 * ULP)),
        ("scalar_pow_bwd_x", |x, dy| scalar_pow_bwd_x(0.0, x, dy), Exact),
        ("std_bwd_var", std_bwd_var, Relative(4.0 * ULP)),
    ];
    let mut cases = Vec::new();
    for len in [1, 6, 1031] {
        let what = || format!("{len} elements");
        cases.extend(functions.map(|(name, f, factor, offset, bound)| {
            Case::new(name, what(), bound, move |device| vec![f(&values(device, len, factor, offset))])
        }));
        cases.extend(exact.map(|(name, f)| Case::new(name, what(), Exact, move |device| vec![f(&halves(device, len))])));
        cases.extend(gradients.map(|(name, f, bound)| {
            Case::new(name, what(), bound, move |device| vec![f(&values(device, len, 1.0, 1.25), &check::tensor(device, [len], 2))])
        }));
    }
    cases
}

pub(in crate::ops) fn benches() -> Vec<Bench> {
    const LEN: usize = 1 << 24;
    let x = |device: &Device| check::tensor(device, [LEN], 1);
    let functions: [(&'static str, Function); 5] = [("neg", neg), ("exp", exp), ("sin", sin), ("erf", erf), ("isnan", isnan)];
    let mut rows: Vec<Bench> = functions
        .map(|(name, f)| {
            Bench::new(name, "16777216 elements", 0, move |device| {
                let x = x(device);
                move || vec![f(&x)]
            })
        })
        .into();
    rows.push(Bench::new("sqrt_bwd_x", "16777216 elements", 0, move |device| {
        let (y, dy) = (x(device), x(device));
        move || vec![sqrt_bwd_x(&y, &dy)]
    }));
    rows
}

#[cfg(test)]
pub(in crate::ops) fn misuses() -> Vec<check::Misuse> {
    use check::misuse;
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
