//! What is held against the mirror.

use crate::{Bound, Case, input_integers, tensor};
use gpu_core::ops::{add_bias, add_bias_bwd_b};
use gpu_core::{Shape, Tensor};

pub fn cases() -> Vec<Case> {
    let shapes: &[&[usize]] = &[
        &[1, 1],
        &[3, 10],
        &[128, 10],
        &[70, 515],
        &[2, 3, 5],
        &[2, 5, 7, 9],
        &[3, 4, 6, 6],
        &[5, 3, 37, 41],
        &[17, 2, 32, 32],
        // More workgroups than fit into a row of the grid.
        &[1, 65_537, 3, 1],
    ];
    let both = |&dims: &&[usize]| {
        let shape = Shape::new(dims);
        let terms = shape.n() * shape.inner(2);
        [
            Case::new("add_bias", shape.to_string(), Bound::Exact, move |device| {
                vec![add_bias(&tensor(device, shape, 1), &tensor(device, [shape.c()], 2))]
            }),
            Case::new("add_bias_bwd_b", shape.to_string(), Bound::Sum { terms }, move |device| {
                vec![add_bias_bwd_b(&tensor(device, shape, 1))]
            }),
            // Sums of small integers are exact in whatever order.
            Case::new("add_bias_bwd_b", format!("{shape}, integers"), Bound::Exact, move |device| {
                vec![add_bias_bwd_b(&Tensor::from_slice(device, shape, &input_integers(device, shape.len(), 1)))]
            }),
        ]
    };
    shapes.iter().flat_map(both).collect()
}
