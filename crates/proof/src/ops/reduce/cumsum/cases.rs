//! What is held against the mirror.

use crate::{Bound, Case, input_integers, tensor};
use gpu_core::ops::{cumsum, cumsum_bwd_x};
use gpu_core::{Shape, Tensor};

pub fn cases() -> Vec<Case> {
    // One element, short and long rows, a whole tile and one more, long columns, parts of several tiles, a folded grid.
    const SHAPES: [(&[usize], usize); 11] = [
        (&[1], 0),
        (&[5, 7], 1),
        (&[5, 7], 0),
        (&[3, 1024], 1),
        (&[3, 1025], 1),
        (&[2, 5003], 1),
        (&[2, 5003, 3], 1),
        (&[2, 3, 4, 5], 2),
        (&[70_001, 2], 0),
        (&[66_000, 130], 1),
        (&[2, 1_500_001], 1),
    ];
    let of = |(dims, axis): (&[usize], usize)| {
        let (shape, what) = (Shape::new(dims), format!("{:?} along {axis}", Shape::new(dims)));
        // Sums of small integers are exact in whatever order; over these lengths they stay far under 2^24.
        let integers = move |device: &_, seed| Tensor::from_slice(device, shape, &input_integers(device, shape.len(), seed));
        [
            Case::new("cumsum", what.clone(), Bound::Exact, move |device| vec![cumsum(&integers(device, 1), axis)]),
            Case::new("cumsum_bwd_x", what, Bound::Exact, move |device| vec![cumsum_bwd_x(&integers(device, 2), axis)]),
        ]
    };
    let fractions = Case::new("cumsum", "[40, 130], fractions".into(), Bound::Sum { terms: 130 }, |device| {
        vec![cumsum(&tensor(device, [40, 130], 1), 1), cumsum(&tensor(device, [40, 130], 1), 0)]
    });
    SHAPES.into_iter().flat_map(of).chain([fractions]).collect()
}
