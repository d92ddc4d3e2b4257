//! What is held against the mirror.

use crate::{Bound, Case, tensor};
use gpu_core::Shape;
use gpu_core::ops::{global_avg_pool, global_avg_pool_bwd_x};

pub(super) const SHAPES: &[[usize; 4]] =
    &[[1, 1, 1, 1], [3, 5, 7, 7], [2, 3, 16, 16], [2, 3, 17, 19], [64, 33, 8, 8], [0, 3, 4, 4], [1, 65_537, 1, 257]];

pub fn cases() -> Vec<Case> {
    let case = |&dims: &[usize; 4]| {
        let shape = Shape::from(dims);
        Case::new("global_avg_pool", shape.to_string(), Bound::Sum { terms: shape.inner(2) }, move |device| {
            let y = global_avg_pool(&tensor(device, shape, 1));
            let dx = global_avg_pool_bwd_x(&tensor(device, y.shape(), 2), shape);
            vec![y, dx]
        })
    };
    SHAPES.iter().map(case).collect()
}
