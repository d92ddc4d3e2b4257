//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::ops::{adaptive_avg_pool2d, adaptive_avg_pool2d_bwd_x, adaptive_max_pool2d, adaptive_max_pool2d_bwd_x};
use gpu_core::{Device, Tensor};

pub fn wrong_calls() -> Vec<Misuse> {
    fn zeros<const R: usize>(device: &Device, shape: [usize; R]) -> Tensor {
        Tensor::zeros(device, shape)
    }
    vec![
        misuse!("adaptive_avg_pool2d", ["x needs axes (n, c, h, w)", "x [2, 3]", "output [1, 1]"], |d| {
            adaptive_avg_pool2d(&zeros(d, [2, 3]), [1, 1])
        }),
        misuse!("adaptive_avg_pool2d", ["there is nothing to divide", "x [1, 1, 2, 2]", "output [0, 1]"], |d| {
            adaptive_avg_pool2d(&zeros(d, [1, 1, 2, 2]), [0, 1])
        }),
        misuse!("adaptive_avg_pool2d", ["a part has 4002000 elements, more than 4000000", "x [1, 1, 2000, 2001]"], |d| {
            adaptive_avg_pool2d(&zeros(d, [1, 1, 2000, 2001]), [1, 1])
        }),
        misuse!("adaptive_max_pool2d", ["one element is in 90300 parts, more than 65000", "output [300, 300]"], |d| {
            adaptive_max_pool2d(&zeros(d, [1, 1, 1, 1]), [300, 300])
        }),
        misuse!("adaptive_avg_pool2d_bwd_x", ["x [1, 2, 4, 4] is pooled to [1, 2, 2, 2]", "dy [1, 3, 2, 2]"], |d| {
            adaptive_avg_pool2d_bwd_x(&zeros(d, [1, 3, 2, 2]), [1, 2, 4, 4].into())
        }),
        misuse!("adaptive_avg_pool2d_bwd_x", ["dy has rank 3, not 4", "dy [3, 2, 2]"], |d| {
            adaptive_avg_pool2d_bwd_x(&zeros(d, [3, 2, 2]), [1, 3, 4, 4].into())
        }),
        misuse!("adaptive_max_pool2d", ["x holds u32, not f32", "x [1, 1, 1, 1]"], |d| {
            adaptive_max_pool2d(&Tensor::from_slice(d, [1, 1, 1, 1], &[1u32]), [1, 1])
        }),
        misuse!("adaptive_max_pool2d", ["there is nothing to divide", "x [1, 1, 0, 2]"], |d| {
            adaptive_max_pool2d(&zeros(d, [1, 1, 0, 2]), [1, 1])
        }),
        misuse!("adaptive_max_pool2d_bwd_x", ["indices holds f32, not u32", "indices [1, 1, 1, 1]"], |d| {
            let dy = zeros(d, [1, 1, 1, 1]);
            adaptive_max_pool2d_bwd_x(&dy, &dy, [1, 1, 2, 2].into())
        }),
        misuse!("adaptive_max_pool2d_bwd_x", ["x [1, 1, 2, 2] is pooled to [1, 1, 1, 1]", "indices [1, 1, 1, 2]"], |d| {
            let indices = Tensor::from_slice(d, [1, 1, 1, 2], &[0u32, 1]);
            adaptive_max_pool2d_bwd_x(&zeros(d, [1, 1, 1, 1]), &indices, [1, 1, 2, 2].into())
        }),
    ]
}
