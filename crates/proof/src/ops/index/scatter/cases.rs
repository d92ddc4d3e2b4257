//! What is held against the mirror.

use crate::{Bound, Case, indices, input_integers, tensor};
use gpu_core::ops::{gather_bwd_x, index_add, index_select_bwd_x, scatter_add};
use gpu_core::{Device, Shape, Tensor};

fn integers(device: &Device, shape: Shape, seed: u64) -> Tensor {
    Tensor::from_slice(device, shape, &input_integers(device, shape.len(), seed))
}

fn with_extent(x: Shape, axis: usize, extent: usize) -> Shape {
    let mut dims = x.dims().to_vec();
    dims[axis] = extent;
    Shape::new(&dims)
}

/// Sums of small integers are exact in whatever order.
pub fn cases() -> Vec<Case> {
    // x, axis, indices along it: few and many, segments shorter and longer than blocks, one index for all, strided lines.
    const SHAPES: [(&[usize], usize, usize); 10] = [
        (&[1], 0, 1),
        (&[7], 0, 20),
        (&[5, 3], 1, 32),
        (&[5, 3], 0, 33),
        (&[2, 11, 8], 1, 500),
        (&[2, 3, 4, 5], 2, 70),
        (&[3], 0, 5000),
        (&[1, 4], 0, 2600),
        (&[2, 6, 3], 1, 3001),
        (&[70_000, 2], 0, 3000),
    ];
    let mut cases = Vec::new();
    for (dims, axis, len) in SHAPES {
        let (x, what) = (Shape::new(dims), format!("{:?} along {axis}, {len} indices", Shape::new(dims)));
        let (to, size) = (with_extent(x, axis, len), x.dim(axis));
        let list = move |device: &Device| Tensor::from_slice(device, [len], &indices(len, size, 2));
        let each = move |device: &Device| Tensor::from_slice(device, to, &indices(to.len(), size, 3));
        cases.push(Case::new("index_add", what.clone(), Bound::Exact, move |device| {
            vec![index_add(&integers(device, x, 1), axis, &list(device), &integers(device, to, 2))]
        }));
        cases.push(Case::new("scatter_add", what.clone(), Bound::Exact, move |device| {
            vec![scatter_add(&integers(device, x, 1), axis, &each(device), &integers(device, to, 2))]
        }));
        cases.push(Case::new("gather_bwd_x", what.clone(), Bound::Exact, move |device| {
            vec![gather_bwd_x(&integers(device, to, 2), axis, &each(device), x)]
        }));
        // Fractions too: a sum of at most `len` of them.
        cases.push(Case::new("index_select_bwd_x", what, Bound::Sum { terms: len }, move |device| {
            vec![index_select_bwd_x(&tensor(device, to, 2), axis, &list(device), x)]
        }));
    }
    // More than 65,535 workgroups.
    cases.push(Case::new("index_add", "[66000, 256], 40 indices".to_owned(), Bound::Exact, |device| {
        let index = Tensor::from_slice(device, [40], &indices(40, 66_000, 2));
        vec![index_add(&Tensor::full(device, [66_000, 256], 1.0), 0, &index, &integers(device, [40, 256].into(), 1))]
    }));
    cases
}
