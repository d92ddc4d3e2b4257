//! What is held against the mirror.

use crate::{Bound, Case, indices, tensor};
use gpu_core::ops::{gather, index_select, one_hot};
use gpu_core::{Shape, Tensor};

pub fn cases() -> Vec<Case> {
    // x, axis, indices along it: one element, vectors of four and others, more than 65,535 workgroups.
    const SHAPES: [(&[usize], usize, usize); 8] = [
        (&[1], 0, 1),
        (&[7], 0, 100),
        (&[5, 3], 1, 4),
        (&[5, 3], 0, 9),
        (&[11, 8], 0, 6),
        (&[2, 3, 4, 5], 2, 7),
        (&[2, 3, 4, 4], 1, 2),
        (&[300, 256], 0, 65_537),
    ];
    let mut cases = Vec::new();
    for (dims, axis, len) in SHAPES {
        let (x, what) = (Shape::new(dims), format!("{:?} along {axis}, {len} indices", Shape::new(dims)));
        let size = x.dim(axis);
        cases.push(Case::new("index_select", what.clone(), Bound::Exact, move |device| {
            let index = Tensor::from_slice(device, [len], &indices(len, size, 2));
            let integers: Vec<u32> = (0..x.len() as u32).collect();
            let y = index_select(&tensor(device, x, 1), axis, &index);
            // Both types where it is cheap.
            let cheap = (y.len() < 1 << 20).then(|| index_select(&Tensor::from_slice(device, x, &integers), axis, &index));
            std::iter::once(y).chain(cheap).collect()
        }));
        if len < 1000 {
            let mut dims = dims.to_vec();
            dims[axis] = len;
            let to = Shape::new(&dims);
            cases.push(Case::new("gather", what, Bound::Exact, move |device| {
                let index = Tensor::from_slice(device, to, &indices(to.len(), size, 2));
                vec![gather(&tensor(device, x, 1), axis, &index)]
            }));
        }
    }
    for (labels, classes) in [(&[1][..], 1), (&[17], 10), (&[3, 5], 7), (&[65_537], 300)] {
        let labels = Shape::new(labels);
        cases.push(Case::new("one_hot", format!("{labels} of {classes}"), Bound::Exact, move |device| {
            vec![one_hot(&Tensor::from_slice(device, labels, &indices(labels.len(), classes, 2)), classes)]
        }));
    }
    cases
}
