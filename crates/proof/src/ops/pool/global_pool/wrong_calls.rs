//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::ops::{global_avg_pool, global_avg_pool_bwd_x};
use gpu_core::{Shape, Tensor};

pub fn wrong_calls() -> Vec<Misuse> {
    vec![
        misuse!("global_avg_pool", ["x needs axes (n, c, h, w)", "x [2, 3]"], |d| global_avg_pool(&Tensor::zeros(d, [2, 3]))),
        misuse!("global_avg_pool", ["the planes have no elements", "x [2, 3, 0, 4]"], |d| {
            global_avg_pool(&Tensor::zeros(d, [2, 3, 0, 4]))
        }),
        misuse!("global_avg_pool", ["x holds u32, not f32", "x [1, 1, 1, 1]"], |d| {
            global_avg_pool(&Tensor::from_slice(d, [1, 1, 1, 1], &[1u32]))
        }),
        misuse!("global_avg_pool_bwd_x", ["x [2, 3, 4, 4] is pooled to [2, 3, 1, 1]", "dy [2, 3]"], |d| {
            global_avg_pool_bwd_x(&Tensor::zeros(d, [2, 3]), Shape::from([2, 3, 4, 4]))
        }),
    ]
}
