use super::{Row, row, tensor};

pub(super) fn rows() -> Vec<Row> {
    // Vectors on either side, and leading axes that broadcast from either side.
    const PRODUCTS: [(&[usize], &[usize]); 11] = [
        (&[3, 4], &[4, 2]),
        (&[2, 3, 4], &[2, 4, 2]),
        (&[4], &[4]),
        (&[4], &[4, 2]),
        (&[3, 4], &[4]),
        (&[4], &[2, 4, 3]),
        (&[2, 2, 3, 4], &[4]),
        (&[2, 2, 3, 4], &[4, 2]),
        (&[3, 4], &[2, 4, 2]),
        (&[2, 1, 3, 4], &[3, 4, 2]),
        (&[1, 3, 4], &[2, 4, 2]),
    ];
    let products = PRODUCTS.map(|(a, b)| row("matmul", &[tensor(a, 1), tensor(b, 2)], |v| v[0].matmul(&v[1])));
    let linear =
        |x: &[usize]| row("linear", &[tensor(x, 1), tensor([2, 4], 2), tensor([2], 3)], |v| v[0].linear(&v[1], Some(&v[2])));
    let others = [
        linear(&[3, 4]),
        linear(&[4]),
        linear(&[2, 3, 4]),
        row("linear", &[tensor([3, 4], 1), tensor([2, 4], 2)], |v| v[0].linear(&v[1], None)),
        row("add_bias", &[tensor([2, 3, 2, 2], 1), tensor([3], 2)], |v| v[0].add_bias(&v[1])),
    ];
    products.into_iter().chain(others).collect()
}
