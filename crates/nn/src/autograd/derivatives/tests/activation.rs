use super::super::activation::EACH;
use super::{Row, row, separate, tensor};

pub(super) fn rows() -> Vec<Row> {
    // 18 values, none within 0.05 of zero: up to 0.9 from it, and past the kinks at 3 and 6 and on both sides of them.
    let x = [separate([2, 9])];
    let axes = [tensor([2, 3, 4], 1)];
    let mut rows = vec![
        row("leaky_relu", &x, |v| v[0].leaky_relu(-0.5)),
        row("elu", &x, |v| v[0].elu(1.5)),
        row("softplus", &x, |v| v[0].softplus(2.0, 1.2)),
    ];
    for &(name, f) in EACH {
        rows.push(row(name, &x, move |v| f(&v[0])));
        rows.push(row(name, &x, move |v| f(&v[0].scale(7.7))));
    }
    for axis in 0..3 {
        rows.push(row("softmax", &axes, move |v| v[0].softmax(axis)));
        rows.push(row("log_softmax", &axes, move |v| v[0].log_softmax(axis)));
    }
    rows
}
