//! What is held against the mirror.

use crate::{Bound, Case, input_integers, tensor, tensor_of};
use gpu_core::ops::{
    abs, abs_bwd_x, add_scalar, ceil, clamp, clamp_bwd_x, cos, cos_bwd_x, erf, erf_bwd_x, exp, expm1, expm1_bwd_x, floor, isfinite,
    isinf, isnan, log, log1p, log1p_bwd_x, neg, pow_scalar, pow_scalar_bwd_x, reciprocal, reciprocal_bwd_x, round, rsqrt,
    rsqrt_bwd_x, scalar_pow, scalar_pow_bwd_x, sign, sin, sin_bwd_x, sqrt, sqrt_bwd_x, square, square_bwd_x, std_bwd_var, tan,
    tan_bwd_x,
};
use gpu_core::{Device, Tensor};

/// A unit in the last place is at most this fraction.
const ULP: f32 = 1.0 / 8_388_608.0;

/// `values * factor + offset`.
fn values(device: &Device, len: usize, factor: f32, offset: f32) -> Tensor {
    tensor_of(device, [len], 1, |v| v * factor + offset)
}

/// Halves: what roundings and bounds meet.
fn halves(device: &Device, len: usize) -> Tensor {
    let values: Vec<f32> = input_integers(device, len, 1).iter().map(|v| v * 0.5).collect();
    Tensor::from_slice(device, [len], &values)
}

pub(super) type Function = fn(&Tensor) -> Tensor;
type Gradient = fn(&Tensor, &Tensor) -> Tensor;

pub fn cases() -> Vec<Case> {
    use Bound::Exact;
    let own = Bound::own;
    // Of what WGSL (section "floating point accuracy") and the approximations here promise, in units in the last place: exp 3 + 2|x|,
    // log 3, or 2^-21 between a half and two, sqrt 5, inverseSqrt 2, division 2.5, pow as exp2(e log2(x)), and one a product or sum.
    let functions: [(&'static str, Function, f32, f32, Bound); 21] = [
        ("neg", neg, 1.0, 0.0, Exact),
        ("abs", abs, 1.0, 0.0, Exact),
        ("square", square, 1.0, 0.0, Exact),
        ("sqrt", sqrt, 1.0, 1.0, own(5.0 * ULP)),
        ("rsqrt", rsqrt, 1.0, 1.5, own(3.0 * ULP)),
        ("exp", exp, 4.0, 0.0, own(11.0 * ULP)),
        ("log", log, 1.0, 1.25, own(4.0 * ULP)),
        ("log1p", log1p, 0.9, 0.0, own(6.0 * ULP)),
        ("expm1", expm1, 4.0, 0.0, own(12.0 * ULP)),
        ("sin", sin, 10.0, 0.0, own(4.0 * ULP)),
        ("cos", cos, 1e4, 0.0, own(8.0 * ULP)),
        ("tan", tan, 1.0, 0.0, own(12.0 * ULP)),
        ("reciprocal", reciprocal, 1.0, 1.5, own(3.0 * ULP)),
        ("erf", erf, 4.0, 0.0, own(6.0 * ULP)),
        ("add_scalar", |x| add_scalar(x, 0.7), 1.0, 0.0, Exact),
        ("pow_scalar", |x| pow_scalar(x, 2.0), 1.0, 0.0, Exact),
        ("pow_scalar", |x| pow_scalar(x, 3.0), 1.0, 0.0, own(2.0 * ULP)),
        ("pow_scalar", |x| pow_scalar(x, -2.3), 1.0, 1.5, own(20.0 * ULP)),
        ("pow_scalar", |x| pow_scalar(x, -0.5), 1.0, 1.5, own(3.0 * ULP)),
        ("scalar_pow", |x| scalar_pow(2.5, x), 4.0, 0.0, own(28.0 * ULP)),
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
        ("sqrt_bwd_x", sqrt_bwd_x, own(4.0 * ULP)),
        ("rsqrt_bwd_x", rsqrt_bwd_x, own(3.0 * ULP)),
        ("log1p_bwd_x", log1p_bwd_x, own(5.0 * ULP)),
        ("expm1_bwd_x", expm1_bwd_x, own(2.0 * ULP)),
        ("sin_bwd_x", sin_bwd_x, own(5.0 * ULP)),
        ("cos_bwd_x", cos_bwd_x, own(5.0 * ULP)),
        ("tan_bwd_x", tan_bwd_x, own(3.0 * ULP)),
        ("reciprocal_bwd_x", reciprocal_bwd_x, own(2.0 * ULP)),
        ("erf_bwd_x", erf_bwd_x, own(12.0 * ULP)),
        ("clamp_bwd_x", |x, dy| clamp_bwd_x(x, dy, 0.5, 1.25), Exact),
        ("pow_scalar_bwd_x", |x, dy| pow_scalar_bwd_x(x, dy, 3.0), own(4.0 * ULP)),
        ("pow_scalar_bwd_x", |x, dy| pow_scalar_bwd_x(x, dy, -0.7), own(20.0 * ULP)),
        ("pow_scalar_bwd_x", |x, dy| pow_scalar_bwd_x(x, dy, 0.0), Exact),
        ("scalar_pow_bwd_x", |x, dy| scalar_pow_bwd_x(2.5, x, dy), own(24.0 * ULP)),
        ("scalar_pow_bwd_x", |x, dy| scalar_pow_bwd_x(0.0, x, dy), Exact),
        ("std_bwd_var", std_bwd_var, own(4.0 * ULP)),
    ];
    let mut cases = Vec::new();
    for len in [1, 6, 1031] {
        let what = || format!("{len} elements");
        cases.extend(functions.map(|(name, f, factor, offset, bound)| {
            let case = Case::new(name, what(), bound, move |device| vec![f(&values(device, len, factor, offset))]);
            // What a logarithm near one is right to has nothing to do with how small it is.
            if name == "log1p" { case.adding(|device| vec![Tensor::scalar(device, 1.0)]) } else { case }
        }));
        cases.extend(exact.map(|(name, f)| Case::new(name, what(), Exact, move |device| vec![f(&halves(device, len))])));
        cases.extend(gradients.map(|(name, f, bound)| {
            Case::new(name, what(), bound, move |device| vec![f(&values(device, len, 1.0, 1.25), &tensor(device, [len], 2))])
        }));
    }
    cases
}
