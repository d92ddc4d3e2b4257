//! What is held against the mirror.

use crate::{Bound, Case, input_integers, integers, tensor};
use gpu_core::ops::{argsort, sort, sort_bwd_x, topk};
use gpu_core::{Device, Shape, Tensor};

/// Values with many ties, both zeros, infinities and NaNs of either sign.
pub(super) fn awkward(len: usize, seed: u64) -> Vec<f32> {
    let special = [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, 0.0, f32::MIN_POSITIVE, 1e-42];
    let of = |(i, v): (usize, f32)| if v == 4.0 { special[i % special.len()] } else { v };
    integers(len, seed).into_iter().enumerate().map(of).collect()
}

fn awkward_tensor(device: &Device, shape: Shape) -> Tensor {
    Tensor::from_slice(device, shape, &awkward(shape.len(), 7))
}

pub fn cases() -> Vec<Case> {
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
                let (y, index) = sort(&awkward_tensor(device, shape), axis, descending);
                vec![y, index, argsort(&tensor(device, shape, 3), axis, descending)]
            }));
        }
        let k = shape.dim(axis).div_ceil(3);
        cases.push(Case::new("topk", format!("{what}, {k} of them"), Bound::Exact, move |device| {
            let (y, index) = topk(&awkward_tensor(device, shape), k, axis, true);
            vec![y, index]
        }));
        cases.push(Case::new("sort_bwd_x", what.clone(), Bound::Exact, move |device| {
            let (y, index) = topk(&awkward_tensor(device, shape), k, axis, false);
            vec![sort_bwd_x(&tensor(device, y.shape(), 2), &index, axis, shape)]
        }));
        cases.push(Case::new("sort", format!("{what}, integers"), Bound::Exact, move |device| {
            let values = input_integers(device, shape.len(), 5);
            let signed: Vec<i32> = values.iter().map(|&v| (v as i32) << 24).collect();
            let unsigned: Vec<u32> = signed.iter().map(|&v| v as u32).collect();
            let signed = sort(&Tensor::from_slice(device, shape, &signed), axis, true);
            let unsigned = sort(&Tensor::from_slice(device, shape, &unsigned), axis, false);
            vec![signed.0, signed.1, unsigned.0, unsigned.1]
        }));
    }
    cases
}
