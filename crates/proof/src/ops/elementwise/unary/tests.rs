// Numbers stand as PyTorch printed them.
#![allow(clippy::approx_constant)]

use crate::{devices, gradients, values};
use gpu_core::ops::{
    abs, abs_bwd_x, ceil, clamp, clamp_bwd_x, cos, cos_bwd_x, erf, erf_bwd_x, exp, expm1, expm1_bwd_x, floor, isfinite, isinf,
    isnan, log, log1p, log1p_bwd_x, neg, pow_scalar, pow_scalar_bwd_x, reciprocal, reciprocal_bwd_x, round, rsqrt, rsqrt_bwd_x,
    scalar_pow, scalar_pow_bwd_x, sign, sin, sin_bwd_x, sqrt, sqrt_bwd_x, square, square_bwd_x, std_bwd_var, tan, tan_bwd_x,
};
use gpu_core::{Device, Tensor};

const INF: f32 = f32::INFINITY;
const NAN: f32 = f32::NAN;

/// `torch.f(torch.tensor(EDGES))` of PyTorch 2.11.
const EDGES: [f32; 10] = [NAN, INF, -INF, -0.0, 0.0, -1.0, 0.5, 1.5, 2.5, -0.5];
#[rustfmt::skip]
const WANTED: [(&str, fn(&Tensor) -> Tensor, [f32; 10]); 17] = [
    ("sign", sign, [0.0, 1.0, -1.0, 0.0, 0.0, -1.0, 1.0, 1.0, 1.0, -1.0]),
    ("sqrt", sqrt, [NAN, INF, NAN, -0.0, 0.0, NAN, 0.707_106_77, 1.224_744_9, 1.581_138_8, NAN]),
    ("rsqrt", rsqrt, [NAN, 0.0, NAN, -INF, INF, NAN, 1.414_213_5, 0.816_496_55, 0.632_455_5, NAN]),
    ("log", log, [NAN, INF, NAN, -INF, -INF, NAN, -0.693_147_2, 0.405_465_13, 0.916_290_76, NAN]),
    ("log1p", log1p, [NAN, INF, NAN, -0.0, 0.0, -INF, 0.405_465_1, 0.916_290_76, 1.252_762_9, -0.693_147_2]),
    ("expm1", expm1, [NAN, INF, -1.0, -0.0, 0.0, -0.632_120_55, 0.648_721_3, 3.481_689, 11.182_494, -0.393_469_33]),
    ("exp", exp, [NAN, INF, 0.0, 1.0, 1.0, 0.367_879_45, 1.648_721_2, 4.481_689, 12.182_494, 0.606_530_66]),
    ("round", round, [NAN, INF, -INF, -0.0, 0.0, -1.0, 0.0, 2.0, 2.0, -0.0]),
    ("floor", floor, [NAN, INF, -INF, -0.0, 0.0, -1.0, 0.0, 1.0, 2.0, -1.0]),
    ("ceil", ceil, [NAN, INF, -INF, -0.0, 0.0, -1.0, 1.0, 2.0, 3.0, -0.0]),
    ("reciprocal", reciprocal, [NAN, 0.0, -0.0, -INF, INF, -1.0, 2.0, 0.666_666_7, 0.4, -2.0]),
    ("erf", erf, [NAN, 1.0, -1.0, -0.0, 0.0, -0.842_700_8, 0.520_499_9, 0.966_105_16, 0.999_593, -0.520_499_9]),
    ("abs", abs, [NAN, INF, INF, 0.0, 0.0, 1.0, 0.5, 1.5, 2.5, 0.5]),
    ("sin", sin, [NAN, NAN, NAN, -0.0, 0.0, -0.841_470_96, 0.479_425_55, 0.997_495, 0.598_472_1, -0.479_425_55]),
    ("cos", cos, [NAN, NAN, NAN, 1.0, 1.0, 0.540_302_3, 0.877_582_55, 0.070_737_2, -0.801_143_6, 0.877_582_55]),
    ("tan", tan, [NAN, NAN, NAN, -0.0, 0.0, -1.557_407_7, 0.546_302_5, 14.101_42, -0.747_022_33, -0.546_302_5]),
    ("clamp", |x| clamp(x, -1.0, 1.0), [NAN, 1.0, -1.0, -0.0, 0.0, -1.0, 0.5, 1.0, 1.0, -0.5]),
];

/// Equal but for a few units in the last place, and a NaN where one is wanted. Of zeros the sign counts.
#[track_caller]
fn same(what: &str, device: &Device, got: &[f32], want: &[f32]) {
    let close = |g: f32, w: f32| match w == 0.0 || !w.is_finite() {
        true => (g.is_nan() && w.is_nan()) || g.to_bits() == w.to_bits(),
        false => (g - w).abs() <= 4e-6 * w.abs(),
    };
    let all = got.len() == want.len() && got.iter().zip(want).all(|(&g, &w)| close(g, w));
    assert!(all, "{what} on {}: {got:?} is not {want:?}", device.name());
}

#[test]
fn edges_and_values_are_those_of_pytorch() {
    for device in devices() {
        let x = Tensor::from_slice(&device, [10], &EDGES);
        for (name, f, want) in WANTED {
            same(name, &device, &f(&x).to_vec().unwrap(), &want);
        }
        same("square", &device, &square(&x).to_vec().unwrap(), &EDGES.map(|v| v * v));
        same("neg", &device, &neg(&x).to_vec().unwrap(), &EDGES.map(|v| -v));
        assert_eq!(isnan(&x).read::<bool>().unwrap(), EDGES.map(f32::is_nan));
        assert_eq!(isinf(&x).read::<bool>().unwrap(), EDGES.map(f32::is_infinite));
        assert_eq!(isfinite(&x).read::<bool>().unwrap(), EDGES.map(f32::is_finite));
    }
}

#[test]
fn powers_by_a_number_are_those_of_pytorch() {
    // torch.pow(torch.tensor([0, -2, 2, inf, nan, 0.5]), exponent), and torch.pow(base, ..).
    const X: [f32; 6] = [0.0, -2.0, 2.0, INF, NAN, 0.5];
    let rows = [
        (2.0, [0.0, 4.0, 4.0, INF, NAN, 0.25]),
        (3.0, [0.0, -8.0, 8.0, INF, NAN, 0.125]),
        (0.5, [0.0, NAN, 1.414_213_5, INF, NAN, 0.707_106_77]),
        (-0.5, [INF, NAN, 0.707_106_77, 0.0, NAN, 1.414_213_5]),
        (-1.0, [INF, -0.5, 0.5, 0.0, NAN, 2.0]),
        (0.0, [1.0; 6]),
        (1.5, [0.0, NAN, 2.828_427, INF, NAN, 0.353_553_4]),
    ];
    for device in devices() {
        let x = Tensor::from_slice(&device, [6], &X);
        for (exponent, want) in rows {
            same(&format!("pow_scalar {exponent}"), &device, &pow_scalar(&x, exponent).to_vec().unwrap(), &want);
        }
        same("scalar_pow", &device, &scalar_pow(2.0, &x).to_vec().unwrap(), &[1.0, 0.25, 4.0, INF, NAN, 1.414_213_5]);
        same("scalar_pow", &device, &scalar_pow(0.0, &x).to_vec().unwrap(), &[1.0, INF, 0.0, 0.0, NAN, 0.0]);
    }
}

#[test]
fn small_arguments_keep_their_digits() {
    for device in devices() {
        let small: Vec<f32> = (1..200).map(|i| 1e-6 * 1.06f32.powi(i)).flat_map(|v| [v, -v]).collect();
        let x = Tensor::from_slice(&device, [small.len()], &small);
        let rows: [(fn(&Tensor) -> Tensor, fn(f64) -> f64); 4] =
            [(log1p, f64::ln_1p), (expm1, f64::exp_m1), (erf, libm::erf), (sin, f64::sin)];
        for (f, exact) in rows {
            for (g, &v) in f(&x).to_vec().unwrap().iter().zip(&small) {
                let want = exact(v.into());
                assert!((f64::from(*g) - want).abs() <= 6e-7 * want.abs(), "{g} at {v} is not {want} on {}", device.name());
            }
        }
    }
}

#[test]
fn gradients_are_difference_quotients() {
    let positive: Vec<f32> = values(24, 1).iter().map(|v| v + 1.5).collect();
    let x = [Tensor::from_slice(&Device::Cpu, [4, 6], &positive)];
    gradients(&x, |t| abs(&t[0]), |t, dy| vec![abs_bwd_x(&t[0], dy)]);
    gradients(&x, |t| square(&t[0]), |t, dy| vec![square_bwd_x(&t[0], dy)]);
    gradients(&x, |t| sqrt(&t[0]), |t, dy| vec![sqrt_bwd_x(&sqrt(&t[0]), dy)]);
    gradients(&x, |t| rsqrt(&t[0]), |t, dy| vec![rsqrt_bwd_x(&rsqrt(&t[0]), dy)]);
    gradients(&x, |t| log1p(&t[0]), |t, dy| vec![log1p_bwd_x(&t[0], dy)]);
    gradients(&x, |t| expm1(&t[0]), |t, dy| vec![expm1_bwd_x(&expm1(&t[0]), dy)]);
    gradients(&x, |t| sin(&t[0]), |t, dy| vec![sin_bwd_x(&t[0], dy)]);
    gradients(&x, |t| cos(&t[0]), |t, dy| vec![cos_bwd_x(&t[0], dy)]);
    gradients(&x, |t| tan(&t[0]), |t, dy| vec![tan_bwd_x(&tan(&t[0]), dy)]);
    gradients(&x, |t| reciprocal(&t[0]), |t, dy| vec![reciprocal_bwd_x(&reciprocal(&t[0]), dy)]);
    gradients(&x, |t| erf(&t[0]), |t, dy| vec![erf_bwd_x(&t[0], dy)]);
    gradients(&x, |t| clamp(&t[0], 1.1, 1.9), |t, dy| vec![clamp_bwd_x(&t[0], dy, 1.1, 1.9)]);
    gradients(&x, |t| pow_scalar(&t[0], -1.7), |t, dy| vec![pow_scalar_bwd_x(&t[0], dy, -1.7)]);
    gradients(&x, |t| scalar_pow(2.5, &t[0]), |t, dy| vec![scalar_pow_bwd_x(2.5, &t[0], dy)]);
    gradients(&x, |t| sqrt(&t[0]), |t, dy| vec![std_bwd_var(&sqrt(&t[0]), dy)]);
}

#[test]
fn gradients_at_edges_are_those_of_pytorch() {
    for device in devices() {
        let x = Tensor::from_slice(&device, [6], &[NAN, 1.0, 2.0, 3.0, -1.0, 4.0]);
        let dy = Tensor::full(&device, [6], 1.0);
        // torch.clamp(x, 1, 3).backward(torch.ones(6))
        assert_eq!(clamp_bwd_x(&x, &dy, 1.0, 3.0).to_vec().unwrap(), [0.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
        // torch.pow(0.0, torch.tensor([0., 1., -1.])).sum().backward()
        let e = Tensor::from_slice(&device, [3], &[0.0f32, 1.0, -1.0]);
        let dy = Tensor::full(&device, [3], 1.0);
        assert_eq!(scalar_pow_bwd_x(0.0, &e, &dy).to_vec().unwrap(), [0.0, 0.0, -INF]);
        assert_eq!(abs_bwd_x(&e, &dy).to_vec().unwrap(), [0.0, 1.0, -1.0]);
        assert_eq!(sqrt_bwd_x(&e, &dy).to_vec().unwrap()[0], INF);
        assert_eq!(std_bwd_var(&e, &dy).to_vec().unwrap()[0], 0.0);
    }
}

#[test]
fn empty_tensors_are_left_alone() {
    for device in devices() {
        let none = Tensor::zeros(&device, [0, 3]);
        assert!(exp(&none).to_vec().unwrap().is_empty() && isnan(&none).read::<bool>().unwrap().is_empty());
        assert!(square_bwd_x(&none, &none).to_vec().unwrap().is_empty());
    }
}
