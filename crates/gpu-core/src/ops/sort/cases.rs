//! The tables: what is held against the mirrors, what is timed, and wrong calls.

use super::{argsort, sort, sort_bwd_x, topk};
use crate::check::{self, Bench, Bound, Case};
use crate::device::Device;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// Values with many ties, both zeros, infinities and NaNs of either sign.
pub(super) fn awkward(len: usize, seed: u64) -> Vec<f32> {
    let special = [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, 0.0, f32::MIN_POSITIVE, 1e-42];
    let of = |(i, v): (usize, f32)| if v == 4.0 { special[i % special.len()] } else { v };
    check::integers(len, seed).into_iter().enumerate().map(of).collect()
}

fn tensor(device: &Device, shape: Shape) -> Tensor {
    Tensor::from_slice(device, shape, &awkward(shape.len(), 7))
}

pub(in crate::ops) fn cases() -> Vec<Case> {
    // One element, short rows many to a tile, a whole tile, one more, three runs, strided axes, seven rounds of merging.
    const SHAPES: [(&[usize], usize); 11] = [
        (&[1], 0),
        (&[7, 3], 1),
        (&[7, 3], 0),
        (&[600, 5], 1),
        (&[3, 33, 5], 1),
        (&[1024], 0),
        (&[2, 1025], 1),
        (&[2, 2500, 3], 1),
        (&[3, 5003], 1),
        (&[5003, 3], 0),
        (&[70_001], 0),
    ];
    let mut cases = Vec::new();
    for (dims, axis) in SHAPES {
        let shape = Shape::new(dims);
        let what = format!("{shape} along {axis}");
        for descending in [false, true] {
            cases.push(Case::new("sort", format!("{what}, descending {descending}"), Bound::Exact, move |device| {
                let (y, index) = sort(&tensor(device, shape), axis, descending);
                vec![y, index, argsort(&check::tensor(device, shape, 3), axis, descending)]
            }));
        }
        let k = shape.dim(axis).div_ceil(3);
        cases.push(Case::new("topk", format!("{what}, {k} of them"), Bound::Exact, move |device| {
            let (y, index) = topk(&tensor(device, shape), k, axis, true);
            vec![y, index]
        }));
        cases.push(Case::new("sort_bwd_x", what.clone(), Bound::Exact, move |device| {
            let (y, index) = topk(&tensor(device, shape), k, axis, false);
            vec![sort_bwd_x(&check::tensor(device, y.shape(), 2), &index, axis, shape)]
        }));
        cases.push(Case::new("sort", format!("{what}, integers"), Bound::Exact, move |device| {
            let values = check::input_integers(device, shape.len(), 5);
            let signed: Vec<i32> = values.iter().map(|&v| (v as i32) << 24).collect();
            let unsigned: Vec<u32> = signed.iter().map(|&v| v as u32).collect();
            let signed = sort(&Tensor::from_slice(device, shape, &signed), axis, true);
            let unsigned = sort(&Tensor::from_slice(device, shape, &unsigned), axis, false);
            vec![signed.0, signed.1, unsigned.0, unsigned.1]
        }));
    }
    cases
}

pub(in crate::ops) fn benches() -> Vec<Bench> {
    vec![
        Bench::new("sort", "1048576 elements", 0, |device| {
            let x = check::tensor(device, [1 << 20], 1);
            move || vec![sort(&x, 0, false).0]
        }),
        Bench::new("sort", "1024x1024 along 0", 0, |device| {
            let x = check::tensor(device, [1024, 1024], 1);
            move || vec![sort(&x, 0, false).0]
        }),
        Bench::new("topk", "5 of 256x1000", 0, |device| {
            let x = check::tensor(device, [256, 1000], 1);
            move || vec![topk(&x, 5, 1, true).0]
        }),
        Bench::new("topk", "100 of 1048576", 0, |device| {
            let x = check::tensor(device, [1 << 20], 1);
            move || vec![topk(&x, 100, 0, true).0]
        }),
        Bench::new("sort_bwd_x", "1048576 elements", 0, |device| {
            let x = check::tensor(device, [1 << 20], 1);
            let index = argsort(&x, 0, false);
            move || vec![sort_bwd_x(&x, &index, 0, [1 << 20])]
        }),
    ]
}

#[cfg(test)]
pub(in crate::ops) fn misuses() -> Vec<check::Misuse> {
    use check::misuse;
    vec![
        misuse!("sort", ["no axis 2", "x [2, 3]"], |device| sort(&Tensor::zeros(device, [2, 3]), 2, false)),
        misuse!("sort", ["x holds bool", "x [1]"], |device| sort(&Tensor::from_slice(device, [1], &[true]), 0, false)),
        misuse!("argsort", ["no axis 0", "x []"], |device| argsort(&Tensor::scalar(device, 1.0), 0, false)),
        misuse!("topk", ["axis 1 has 3 elements, not 4", "x [2, 3]"], |device| {
            topk(&Tensor::zeros(device, [2, 3]), 4, 1, true)
        }),
        misuse!("sort_bwd_x", ["dy [2]", "index [3]"], |device| {
            let dy = Tensor::zeros(device, [2]);
            sort_bwd_x(&dy, &Tensor::from_slice(device, [3], &[0u32, 1, 2]), 0, [3])
        }),
        misuse!("sort_bwd_x", ["dy [2]", "x [3, 2]"], |device| {
            let dy = Tensor::zeros(device, [2]);
            sort_bwd_x(&dy, &Tensor::from_slice(device, [2], &[0u32, 1]), 0, [3, 2])
        }),
        misuse!("sort_bwd_x", ["index holds f32, not u32", "index [2]"], |device| {
            sort_bwd_x(&Tensor::zeros(device, [2]), &Tensor::zeros(device, [2]), 0, [2])
        }),
    ]
}
