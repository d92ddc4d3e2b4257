//! What is held against the mirror.

use crate::{Bound, Case, tensor};
use gpu_core::Shape;
use gpu_core::ops::{global_avg_pool, global_avg_pool_bwd_x};

pub(super) const SHAPES: &[[usize; 4]] =
    &[[1, 1, 1, 1], [3, 5, 7, 7], [2, 3, 16, 16], [2, 3, 17, 19], [64, 33, 8, 8], [0, 3, 4, 4], [1, 65_537, 1, 257], LARGE];

/// More than one workgroup may walk.
pub(super) const LARGE: [usize; 4] = [1, 2, 2048, 2049];

/// How many additions follow one another for one plane: a thread's, a tree's, and those of the parts that a large plane is cut into;
/// and the product.
fn additions(inner: usize) -> usize {
    match inner {
        0..=128 => inner + 1,
        129..4_194_000 => inner.div_ceil(64) + 7,
        _ => 65_536 / 64 + 7 + inner.div_ceil(65_536),
    }
}

pub fn cases() -> Vec<Case> {
    let case = |&dims: &[usize; 4]| {
        let shape = Shape::from(dims);
        Case::new("global_avg_pool", shape.to_string(), Bound::Sum { terms: additions(shape.inner(2)) }, move |device| {
            let y = global_avg_pool(&tensor(device, shape, 1));
            let dx = global_avg_pool_bwd_x(&tensor(device, y.shape(), 2), shape);
            vec![y, dx]
        })
    };
    SHAPES.iter().map(case).collect()
}
