use super::{Row, row, separate, tensor};
use crate::autograd::var::Var;
use gpu_core::{Device, Tensor};

/// Values in 0.5 .. 2.5.
pub(super) fn positive(x: &Tensor) -> Tensor {
    let values: Vec<f32> = x.to_vec().unwrap().iter().map(|v| v + 1.5).collect();
    Tensor::from_slice(&Device::cpu_f64(), x.shape(), &values)
}

/// Values that lie between those of [`separate`].
fn between(shape: &[usize]) -> Tensor {
    let values: Vec<f32> = separate(shape).to_vec().unwrap().iter().rev().map(|v| v + 0.025).collect();
    Tensor::from_slice(&Device::cpu_f64(), shape, &values)
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (a, b) in [(vec![2, 3], vec![2, 3]), (vec![2, 3, 4], vec![3, 1]), (vec![4], vec![2, 4]), (vec![2, 2], vec![])] {
        let inputs = [tensor(a.as_slice(), 1), tensor(b.as_slice(), 2)];
        rows.push(row("add", &inputs, |v| v[0].add(&v[1])));
        rows.push(row("sub", &inputs, |v| v[0].sub(&v[1])));
        rows.push(row("mul", &inputs, |v| v[0].mul(&v[1])));
        let positive = inputs.each_ref().map(positive);
        rows.push(row("div", &positive, |v| v[0].div(&v[1])));
        rows.push(row("pow", &positive, |v| v[0].pow(&v[1])));
        let inputs = [separate(a.as_slice()), between(b.as_slice())];
        rows.push(row("maximum", &inputs, |v| v[0].maximum(&v[1])));
        rows.push(row("minimum", &inputs, |v| v[0].minimum(&v[1])));
        rows.push(row("where_", &inputs, |v| Var::where_(&gpu_core::ops::gt(v[0].value(), v[1].value()), &v[0], &v[1])));
    }
    rows.extend([
        row("mul", &[tensor([5], 1)], |v| v[0].mul(&v[0]).add(&v[0])),
        row("scale", &[tensor([5], 1)], |v| v[0].scale(-1.5)),
        row("reshape", &[tensor([2, 6], 1)], |v| v[0].reshape([3, 4])),
        row("flatten", &[tensor([2, 3, 2], 1)], |v| v[0].flatten()),
    ]);
    rows
}
