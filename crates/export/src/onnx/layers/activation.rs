//! Functions of each element, and softmax.

use crate::onnx::graph::{Value, float, int};
use crate::onnx::leaf::{Leaf, Row, Said};
use std::f32::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

pub const LAYERS: &[Row] = &[
    ("relu", |l| Ok(l.of_x("Relu", vec![]))),
    ("relu6", relu6),
    ("leaky_relu", |l| Ok(l.of_x("LeakyRelu", vec![float("alpha", l.field("slope"))]))),
    ("elu", |l| Ok(l.of_x("Elu", vec![float("alpha", l.field("alpha"))]))),
    ("selu", |l| Ok(l.of_x("Selu", vec![]))),
    ("gelu", gelu),
    ("gelu_tanh", gelu_tanh),
    ("silu", silu),
    ("mish", mish),
    ("hardswish", |l| Ok(l.of_x("HardSwish", vec![]))),
    ("softplus", softplus),
    ("softsign", |l| Ok(l.of_x("Softsign", vec![]))),
    ("tanh", |l| Ok(l.of_x("Tanh", vec![]))),
    ("sigmoid", |l| Ok(l.of_x("Sigmoid", vec![]))),
    ("hardsigmoid", |l| Ok(l.of_x("HardSigmoid", vec![float("alpha", 1.0 / 6.0), float("beta", 0.5)]))),
    ("softmax", |l| Ok(l.of_x("Softmax", vec![int("axis", l.field("axis"))]))),
    ("log_softmax", |l| Ok(l.of_x("LogSoftmax", vec![int("axis", l.field("axis"))]))),
    ("scale", scale),
];

fn relu6(l: &mut Leaf<'_>) -> Said {
    let (x, least, most) = (l.x(), l.scalar("least", 0.0), l.scalar("most", 6.0));
    Ok(l.apply("Clip", &[&x, &least, &most]))
}

fn scale(l: &mut Leaf<'_>) -> Said {
    let (x, factor) = (l.x(), l.field("factor"));
    Ok(l.scaled(&x, "factor", factor))
}

fn silu(l: &mut Leaf<'_>) -> Said {
    let (x, gate) = (l.x(), l.of_x("Sigmoid", vec![]));
    Ok(l.apply("Mul", &[&x, &gate]))
}

/// `x * (1 + erf(x / sqrt 2)) / 2`: `Gelu` itself is of opset 20.
fn gelu(l: &mut Leaf<'_>) -> Said {
    let x = l.x();
    let inner = l.scaled(&x, "inner", FRAC_1_SQRT_2);
    let erf = l.apply("Erf", &[&inner]);
    Ok(half_of_one_and(l, &erf))
}

/// `x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2`.
fn gelu_tanh(l: &mut Leaf<'_>) -> Said {
    let x = l.x();
    let square = l.apply("Mul", &[&x, &x]);
    let cube = l.apply("Mul", &[&square, &x]);
    let cube = l.scaled(&cube, "cubic", 0.044_715);
    let inner = l.apply("Add", &[&x, &cube]);
    let inner = l.scaled(&inner, "inner", FRAC_2_SQRT_PI * FRAC_1_SQRT_2);
    let tanh = l.apply("Tanh", &[&inner]);
    Ok(half_of_one_and(l, &tanh))
}

/// `x * (1 + y) / 2`.
fn half_of_one_and(l: &mut Leaf<'_>, y: &Value) -> Value {
    let (x, one) = (l.x(), l.scalar("one", 1.0));
    let sum = l.apply("Add", &[y, &one]);
    let product = l.apply("Mul", &[&x, &sum]);
    l.scaled(&product, "half", 0.5)
}

fn mish(l: &mut Leaf<'_>) -> Said {
    let (x, softplus) = (l.x(), l.of_x("Softplus", vec![]));
    let tanh = l.apply("Tanh", &[&softplus]);
    Ok(l.apply("Mul", &[&x, &tanh]))
}

/// `Softplus` has neither number.
fn softplus(l: &mut Leaf<'_>) -> Said {
    let (x, beta): (Value, f32) = (l.x(), l.field("beta"));
    let scaled = l.scaled(&x, "beta", beta);
    let curve = l.apply("Softplus", &[&scaled]);
    let curve = l.scaled(&curve, "inverse", 1.0 / beta);
    let threshold = l.field("threshold");
    let threshold = l.scalar("threshold", threshold);
    let is_straight = l.apply("Greater", &[&scaled, &threshold]);
    Ok(l.apply("Where", &[&is_straight, &x, &curve]))
}
