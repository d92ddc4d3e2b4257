//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::Tensor;
use gpu_core::ops::{pixel_shuffle, pixel_unshuffle};

pub fn wrong_calls() -> Vec<Misuse> {
    vec![
        misuse!("pixel_shuffle", ["6 channels do not divide by 2 squared", "x [1, 6, 2, 2]"], |d| {
            pixel_shuffle(&Tensor::zeros(d, [1, 6, 2, 2]), 2)
        }),
        misuse!("pixel_shuffle", ["the factor is 0, not 1 to 65535", "x [1, 6, 2, 2]"], |d| {
            pixel_shuffle(&Tensor::zeros(d, [1, 6, 2, 2]), 0)
        }),
        misuse!("pixel_shuffle", ["the factor is 4294967297, not 1 to 65535", "x [1, 1, 1, 1]"], |d| {
            pixel_shuffle(&Tensor::zeros(d, [1, 1, 1, 1]), (1 << 32) + 1)
        }),
        misuse!("pixel_shuffle", ["x has rank 2, not 4", "x [4, 4]"], |d| pixel_shuffle(&Tensor::zeros(d, [4, 4]), 2)),
        misuse!("pixel_unshuffle", ["3 rows and 4 columns do not divide by 2", "x [1, 1, 3, 4]"], |d| {
            pixel_unshuffle(&Tensor::zeros(d, [1, 1, 3, 4]), 2)
        }),
        misuse!("pixel_unshuffle", ["x holds u32, not f32", "x [1, 1, 1, 1]"], |d| {
            pixel_unshuffle(&Tensor::from_slice(d, [1, 1, 1, 1], &[1u32]), 1)
        }),
    ]
}
