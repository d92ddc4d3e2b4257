//! What is held against the mirror.

use crate::{Bound, Case, input_integers, tensor};
use gpu_core::ops::{adaptive_avg_pool2d, adaptive_avg_pool2d_bwd_x, adaptive_max_pool2d, adaptive_max_pool2d_bwd_x};
use gpu_core::{Shape, Tensor};

/// Parts that fit, that overlap, more parts than elements, one part (wide and narrow), none at all, and a folded grid.
pub(super) const ROWS: &[([usize; 4], [usize; 2])] = &[
    ([2, 3, 8, 8], [4, 2]),
    ([1, 1, 1, 1], [1, 1]),
    ([1, 4, 7, 9], [3, 2]),
    ([2, 3, 5, 3], [7, 4]),
    ([3, 5, 7, 7], [1, 1]),
    ([2, 3, 17, 19], [1, 1]),
    ([1, 2, 40, 31], [2, 3]),
    ([0, 3, 4, 4], [2, 2]),
    ([1, 65_537, 1, 129], [1, 1]),
];

/// The most elements of a part.
fn longest(extent: usize, parts: usize) -> usize {
    (extent.div_ceil(parts) + 1).min(extent)
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for &(x, output) in ROWS {
        let (shape, what) = (Shape::from(x), format!("{x:?} to {output:?}"));
        let window = longest(x[2], output[0]) * longest(x[3], output[1]);
        let covering = longest(output[0], x[2]) * longest(output[1], x[3]);
        // A quotient more, of which WGSL allows two and a half units.
        let bound = Bound::Sum { terms: window.max(covering) + 3 };
        cases.push(Case::new("adaptive_avg_pool2d", what.clone(), bound, move |device| {
            let y = adaptive_avg_pool2d(&tensor(device, shape, 1), output);
            let dx = adaptive_avg_pool2d_bwd_x(&tensor(device, y.shape(), 2), shape);
            vec![y, dx]
        }));
        cases.push(Case::new("adaptive_max_pool2d", what, Bound::Exact, move |device| {
            // Small integers: ties abound.
            let (y, indices) =
                adaptive_max_pool2d(&Tensor::from_slice(device, shape, &input_integers(device, shape.len(), 1)), output);
            let dy = Tensor::from_slice(device, y.shape(), &input_integers(device, y.len(), 2));
            let dx = adaptive_max_pool2d_bwd_x(&dy, &indices, shape);
            vec![y, indices, dx]
        }));
    }
    cases
}
