use super::{Row, row, tensor};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (a, b) in [(vec![2, 3], vec![2, 3]), (vec![2, 3, 4], vec![3, 1]), (vec![4], vec![2, 4]), (vec![2, 2], vec![])] {
        let inputs = [tensor(a.as_slice(), 1), tensor(b.as_slice(), 2)];
        rows.push(row("add", &inputs, |v| v[0].add(&v[1])));
        rows.push(row("sub", &inputs, |v| v[0].sub(&v[1])));
        rows.push(row("mul", &inputs, |v| v[0].mul(&v[1])));
    }
    rows.extend([
        row("mul", &[tensor([5], 1)], |v| v[0].mul(&v[0]).add(&v[0])),
        row("scale", &[tensor([5], 1)], |v| v[0].scale(-1.5)),
        row("sum", &[tensor([3, 5], 1)], |v| v[0].sum()),
        row("mean", &[tensor([3, 5], 1)], |v| v[0].mean()),
        row("reshape", &[tensor([2, 6], 1)], |v| v[0].reshape([3, 4])),
        row("flatten", &[tensor([2, 3, 2], 1)], |v| v[0].flatten()),
    ]);
    rows
}
