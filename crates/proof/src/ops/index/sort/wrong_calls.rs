//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::Tensor;
use gpu_core::ops::{argsort, sort, sort_bwd_x, topk};

pub fn wrong_calls() -> Vec<Misuse> {
    vec![
        misuse!("sort", ["no axis 2", "x [2, 3]"], |device| sort(&Tensor::zeros(device, [2, 3]), 2, false)),
        misuse!("sort", ["x holds bool", "x [1]"], |device| sort(&Tensor::from_slice(device, [1], &[true]), 0, false)),
        misuse!("argsort", ["no axis 0", "x []"], |device| argsort(&Tensor::scalar(device, 1.0), 0, false)),
        misuse!("topk", ["axis 1 has 3 elements, not 4", "x [2, 3]"], |device| {
            topk(&Tensor::zeros(device, [2, 3]), 4, 1, true)
        }),
        misuse!("sort_bwd_x", ["dy [2]", "index [3]"], |device| {
            let dy = Tensor::zeros(device, [2]);
            sort_bwd_x(&dy, &Tensor::from_slice(device, [3], &[0u32, 1, 2]), 0, [3])
        }),
        misuse!("sort_bwd_x", ["dy [2]", "x [3, 2]"], |device| {
            let dy = Tensor::zeros(device, [2]);
            sort_bwd_x(&dy, &Tensor::from_slice(device, [2], &[0u32, 1]), 0, [3, 2])
        }),
        misuse!("sort_bwd_x", ["index holds f32, not u32", "index [2]"], |device| {
            sort_bwd_x(&Tensor::zeros(device, [2]), &Tensor::zeros(device, [2]), 0, [2])
        }),
    ]
}
