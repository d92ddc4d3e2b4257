use super::{Row, row, separate, tensor};

pub(super) fn rows() -> Vec<Row> {
    // 18 values up to 0.9 from zero, none within 0.05 of it; the hard functions' kinks are at 3 and 6.
    let x = [separate([2, 9])];
    let axes = [tensor([2, 3, 4], 1)];
    let mut rows = vec![
        row("relu", &x, |v| v[0].relu()),
        row("leaky_relu", &x, |v| v[0].leaky_relu(0.1)),
        row("leaky_relu", &x, |v| v[0].leaky_relu(-0.5)),
        row("relu6", &x, |v| v[0].scale(7.7).relu6()),
        row("elu", &x, |v| v[0].elu(1.5)),
        row("selu", &x, |v| v[0].selu()),
        row("hardsigmoid", &x, |v| v[0].scale(4.3).hardsigmoid()),
        row("hardswish", &x, |v| v[0].scale(4.3).hardswish()),
        row("sigmoid", &x, |v| v[0].sigmoid()),
        row("tanh", &x, |v| v[0].tanh()),
        row("softplus", &x, |v| v[0].softplus(2.0, 1.2)),
        row("silu", &x, |v| v[0].silu()),
        row("gelu", &x, |v| v[0].gelu()),
        row("gelu_tanh", &x, |v| v[0].gelu_tanh()),
        row("mish", &x, |v| v[0].mish()),
    ];
    for axis in 0..3 {
        rows.push(row("softmax", &axes, move |v| v[0].softmax(axis)));
        rows.push(row("log_softmax", &axes, move |v| v[0].log_softmax(axis)));
    }
    rows
}
