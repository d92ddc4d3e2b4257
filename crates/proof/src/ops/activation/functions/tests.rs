//! Numbers from PyTorch, the error of the approximations, gradients.
#![allow(clippy::approx_constant, clippy::excessive_precision, reason = "numbers as PyTorch prints them")]

use super::cases::functions;
use crate::{devices, gradients};
use gpu_core::ops::{elu, sigmoid, softplus, tanh};
use gpu_core::{Device, Tensor};

const INF: f32 = f32::INFINITY;
const NAN: f32 = f32::NAN;
const POINTS: [f32; 14] = [0.0, -0.0, INF, -INF, NAN, 88.0, -88.0, 1e-3, -1e-3, 3.0, -3.0, 6.0, 1.0, -1.0];

/// `y = f(x)` and `y.sum().backward()` of PyTorch 2.11 at [`POINTS`] in float64: a function, its values, its derivatives.
#[rustfmt::skip]
const PYTORCH: [(&str, [f32; 14], [f32; 14]); 19] = [
    ("relu", [0.0, 0.0, INF, 0.0, NAN, 88.0, 0.0, 0.001, 0.0, 3.0, 0.0, 6.0, 1.0, 0.0], [0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0]),
    ("leaky_relu", [0.0, 0.0, INF, -INF, NAN, 88.0, -0.88, 0.001, -0.00001, 3.0, -0.03, 6.0, 1.0, -0.01], [0.01, 0.01, 1.0, 0.01, 0.01, 1.0, 0.01, 1.0, 0.01, 1.0, 0.01, 1.0, 1.0, 0.01]),
    ("leaky_relu, slope 0.1", [0.0, 0.0, INF, -INF, NAN, 88.0, -8.8, 0.001, -0.0001, 3.0, -0.3, 6.0, 1.0, -0.1], [0.1, 0.1, 1.0, 0.1, 0.1, 1.0, 0.1, 1.0, 0.1, 1.0, 0.1, 1.0, 1.0, 0.1]),
    ("leaky_relu, slope -0.5", [0.0, 0.0, INF, INF, NAN, 88.0, 44.0, 0.001, 0.00050000002, 3.0, 1.5, 6.0, 1.0, 0.5], [-0.5, -0.5, 1.0, -0.5, -0.5, 1.0, -0.5, 1.0, -0.5, 1.0, -0.5, 1.0, 1.0, -0.5]),
    ("relu6", [0.0, 0.0, 6.0, 0.0, NAN, 6.0, 0.0, 0.001, 0.0, 3.0, 0.0, 6.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0]),
    ("elu", [0.0, 0.0, INF, -1.0, NAN, 88.0, -1.0, 0.001, -0.00099950021, 3.0, -0.95021293, 6.0, 1.0, -0.63212056], [1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.9990005, 1.0, 0.049787068, 1.0, 1.0, 0.36787944]),
    ("elu, alpha 1.5", [0.0, 0.0, INF, -1.5, NAN, 88.0, -1.5, 0.001, -0.0014992503, 3.0, -1.4253194, 6.0, 1.0, -0.94818084], [1.5, 1.5, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.4985007, 1.0, 0.074680603, 1.0, 1.0, 0.55181916]),
    ("selu", [0.0, 0.0, INF, -1.7580993, NAN, 92.461687, -1.7580993, 0.001050701, -0.0017572207, 3.152103, -1.6705687, 6.3042059, 1.050701, -1.1113307], [1.7580993, 1.7580993, 1.050701, 0.0, 1.050701, 1.050701, 0.0, 1.050701, 1.7563421, 1.050701, 0.087530612, 1.050701, 1.050701, 0.6467686]),
    ("hardsigmoid", [0.5, 0.5, 1.0, 0.0, NAN, 1.0, 0.0, 0.50016667, 0.49983333, 1.0, 0.0, 1.0, 0.66666667, 0.33333333], [0.16666667, 0.16666667, 0.0, 0.0, 0.0, 0.0, 0.0, 0.16666667, 0.16666667, 0.0, 0.0, 0.0, 0.16666667, 0.16666667]),
    ("hardswish", [0.0, 0.0, INF, NAN, NAN, 88.0, 0.0, 0.00050016669, -0.00049983336, 3.0, 0.0, 6.0, 0.66666667, -0.33333333], [0.5, 0.5, 1.0, 0.0, 1.0, 1.0, 0.0, 0.50033333, 0.49966667, 1.0, 0.0, 1.0, 0.83333333, 0.16666667]),
    ("sigmoid", [0.5, 0.5, 1.0, 0.0, NAN, 1.0, 0.0, 0.50025, 0.49975, 0.95257413, 0.047425873, 0.99752738, 0.73105858, 0.26894142], [0.25, 0.25, 0.0, 0.0, NAN, 0.0, 0.0, 0.24999994, 0.24999994, 0.04517666, 0.04517666, 0.0024665093, 0.19661193, 0.19661193]),
    ("tanh", [0.0, 0.0, 1.0, -1.0, NAN, 1.0, -1.0, 0.00099999971, -0.00099999971, 0.99505475, -0.99505475, 0.99998771, 0.76159416, -0.76159416], [1.0, 1.0, 0.0, 0.0, NAN, 0.0, 0.0, 0.999999, 0.999999, 0.0098660372, 0.0098660372, 2.4576547e-05, 0.41997434, 0.41997434]),
    ("softplus", [0.69314718, 0.69314718, INF, 0.0, NAN, 88.0, 0.0, 0.69364731, 0.69264731, 3.0485874, 0.048587352, 6.0024757, 1.3132617, 0.31326169], [0.5, 0.5, 1.0, 0.0, NAN, 1.0, 0.0, 0.50025, 0.49975, 0.95257413, 0.047425873, 0.99752738, 0.73105858, 0.26894142]),
    ("softplus, beta 2, threshold 5", [0.34657359, 0.34657359, INF, 0.0, NAN, 88.0, 0.0, 0.34707384, 0.34607384, 3.0, 0.0012378426, 6.0, 1.063464, 0.063464006], [0.5, 0.5, 1.0, 0.0, NAN, 1.0, 0.0, 0.5005, 0.4995, 1.0, 0.0024726232, 1.0, 0.88079708, 0.11920292]),
    ("silu", [0.0, 0.0, INF, NAN, NAN, 88.0, -5.3280497e-37, 0.00050025002, -0.00049975002, 2.8577224, -0.14227762, 5.9851643, 0.73105858, -0.26894142], [0.5, 0.5, NAN, NAN, NAN, 1.0, -5.2675036e-37, 0.5005, 0.4995, 1.0881041, -0.088104106, 1.0123264, 0.92767051, 0.072329488]),
    ("gelu", [0.0, 0.0, INF, NAN, NAN, 88.0, 0.0, 0.00050039897, -0.00049960108, 2.9959503, -0.0040496941, 6.0, 0.84134475, -0.15865525], [0.5, 0.5, NAN, NAN, NAN, 1.0, 0.0, 0.50079788, 0.49920212, 1.0119456, -0.011945647, 1.0, 1.0833155, -0.083315471]),
    ("gelu_tanh", [0.0, 0.0, INF, NAN, NAN, 88.0, 0.0, 0.00050039897, -0.00049960108, 2.9963626, -0.0036373921, 6.0, 0.84119199, -0.15880801], [0.5, 0.5, NAN, NAN, NAN, 1.0, 0.0, 0.50079788, 0.49920212, 1.0115842, -0.011584167, 1.0, 1.0829641, -0.082964084]),
    ("mish", [0.0, 0.0, INF, NAN, NAN, 88.0, -5.3280497e-37, 0.00060032001, -0.00059968001, 2.986535, -0.14564746, 5.9999266, 0.86509839, -0.30340146], [0.6, 0.6, NAN, NAN, NAN, 1.0, -5.2675036e-37, 0.60063995, 0.59935995, 1.0211069, -0.093393115, 1.0001341, 1.0490362, 0.059216756]),
    ("softsign", [0.0, 0.0, NAN, NAN, NAN, 0.98876404, -0.98876404, 0.000999001, -0.000999001, 0.75, -0.75, 0.85714286, 0.5, -0.5], [1.0, 1.0, 0.0, 0.0, NAN, 0.00012624669, 0.00012624669, 0.998003, 0.998003, 0.0625, 0.0625, 0.020408163, 0.25, 0.25]),
];

#[test]
fn values_and_derivatives_are_those_of_pytorch_also_at_infinity_and_nan() {
    // A derivative from the rounded output is off by what rounding moved the output; an output, by what rounding moved its factor
    // of x.
    let near = |got: f32, want: f32, slack: f32| {
        got == want || (got.is_nan() && want.is_nan()) || (got - want).abs() <= 4e-6 * want.abs() + 1e-6 * slack
    };
    for device in devices() {
        let x = Tensor::from_slice(&device, [14], &POINTS);
        for function in functions() {
            let row = PYTORCH.into_iter().find(|(name, ..)| *name == function.name);
            let (name, values, derivatives) = row.unwrap_or_else(|| panic!("no values of PyTorch for {}", function.name));
            let y = (function.f)(&x).to_vec().unwrap();
            let dx = function.gradient(&x, &Tensor::full(&device, [14], 1.0)).to_vec().unwrap();
            for i in 0..14 {
                let (at, on) = (POINTS[i], device.name());
                assert!(near(y[i], values[i], at.abs().min(1.0)), "{name}({at}) is {}, not {}, on {on}", y[i], values[i]);
                assert!(near(dx[i], derivatives[i], 1.0), "{name}'({at}) is {}, not {}, on {on}", dx[i], derivatives[i]);
            }
        }
    }
}

#[test]
fn gradients_equal_difference_quotients() {
    // Away from the kinks, which a step must not cross: 0, 3 and 6 are missed by 0.05.
    let x: Vec<f32> = (0..44).map(|i| (i as f32 - 22.0) * 0.4 + 0.15).collect();
    let x = Tensor::from_slice(&Device::Cpu, [4, 11], &x);
    for function in functions() {
        gradients(std::slice::from_ref(&x), |t| (function.f)(&t[0]), |t, dy| vec![function.gradient(&t[0], dy)]);
    }
}

#[test]
fn empty_tensors_and_scalars_are_fine() {
    for device in devices() {
        for function in functions() {
            let (none, one) = (Tensor::zeros(&device, [0, 3]), Tensor::scalar(&device, 0.0));
            assert_eq!(function.gradient(&(function.f)(&none), &none).shape(), none.shape());
            assert_eq!((function.f)(&one).shape().rank(), 0);
        }
    }
}

#[test]
fn the_approximations_are_right_to_a_few_units_of_the_last_place() {
    // Every approximation of the shader, over all of its range, against f64. The polynomials alone are within 2.5 units; the rest
    // is for the driver's `exp`.
    let functions: [(&str, fn(&Tensor) -> Tensor, fn(f64) -> f64, f64); 4] = [
        ("tanh", tanh, f64::tanh, 6.0),
        ("sigmoid", sigmoid, |x| 1.0 / (1.0 + (-x).exp()), 20.0),
        ("elu", |x| elu(x, 1.0), |x| if x < 0.0 { x.exp_m1() } else { x }, 6.0),
        ("softplus", |x| softplus(x, 1.0, 20.0), |x| x.exp().ln_1p(), 20.0),
    ];
    let values: Vec<f32> = (-200_000..200_000).map(|i| i as f32 * 4e-5).chain([1e-20, -1e-20, 1e-5, 20.0, -20.0]).collect();
    for device in devices() {
        let x = Tensor::from_slice(&device, [values.len()], &values);
        for (name, f, exact, most) in functions {
            let y = f(&x).to_vec().unwrap();
            let units = |(&x, &y): (&f32, &f32)| {
                let want = exact(x.into());
                let unit = f64::from((want as f32).abs().next_up()) - f64::from((want as f32).abs());
                ((f64::from(y) - want).abs() / unit, x)
            };
            let worst = values.iter().zip(&y).map(units).fold((0.0, 0.0), |a, b| if b.0 > a.0 { b } else { a });
            eprintln!("{name} on {}: {:.2} units at {}", device.name(), worst.0, worst.1);
            assert!(worst.0 <= most, "{name} is {:.1} units of the last place off at {}, on {}", worst.0, worst.1, device.name());
        }
    }
}
