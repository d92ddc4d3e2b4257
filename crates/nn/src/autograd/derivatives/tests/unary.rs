use super::elementwise::positive;
use super::{Row, row, separate, tensor};

pub(super) fn rows() -> Vec<Row> {
    let (x, positive) = ([tensor([3, 5], 1)], [positive(&tensor([3, 5], 1))]);
    vec![
        row("neg", &x, |v| v[0].neg()),
        row("abs", &[separate([2, 9])], |v| v[0].abs()),
        row("square", &x, |v| v[0].square()),
        row("sqrt", &positive, |v| v[0].sqrt()),
        row("rsqrt", &positive, |v| v[0].rsqrt()),
        row("reciprocal", &positive, |v| v[0].reciprocal()),
        row("exp", &x, |v| v[0].exp()),
        row("expm1", &x, |v| v[0].expm1()),
        row("log", &positive, |v| v[0].log()),
        row("log1p", &positive, |v| v[0].log1p()),
        row("sin", &x, |v| v[0].sin()),
        row("cos", &x, |v| v[0].cos()),
        row("tan", &x, |v| v[0].tan()),
        row("erf", &x, |v| v[0].erf()),
        row("add_scalar", &x, |v| v[0].add_scalar(0.7)),
        row("pow_scalar", &positive, |v| v[0].pow_scalar(-1.3)),
        row("pow_scalar", &x, |v| v[0].pow_scalar(3.0)),
        row("scalar_pow", &x, |v| v[0].scalar_pow(2.5)),
        row("clamp", &[separate([2, 9])], |v| v[0].clamp(-0.32, 0.47)),
    ]
}
