use super::{Row, row, tensor};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row("matmul", &[tensor([3, 4], 1), tensor([4, 2], 2)], |v| v[0].matmul(&v[1])),
        row("matmul", &[tensor([2, 3, 4], 1), tensor([2, 4, 2], 2)], |v| v[0].matmul(&v[1])),
        row("linear", &[tensor([3, 4], 1), tensor([2, 4], 2), tensor([2], 3)], |v| v[0].linear(&v[1], Some(&v[2]))),
        row("add_bias", &[tensor([2, 3, 2, 2], 1), tensor([3], 2)], |v| v[0].add_bias(&v[1])),
    ]
}
