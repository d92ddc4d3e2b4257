//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::ops::{gather_bwd_x, index_add, index_select_bwd_x, scatter_add};
use gpu_core::{Device, Tensor};

fn some(device: &Device, n: usize) -> Tensor {
    Tensor::from_slice(device, [n], &vec![0u32; n])
}

fn zeros(device: &Device, n: usize) -> Tensor {
    Tensor::zeros(device, [n])
}

pub fn wrong_calls() -> Vec<Misuse> {
    vec![
        misuse!("scatter_add", ["no axis 1", "x [2], index [3], src [3]"], |device| {
            scatter_add(&zeros(device, 2), 1, &some(device, 3), &zeros(device, 3))
        }),
        misuse!("scatter_add", ["index and src do", "x [2], index [3], src [4]"], |device| {
            scatter_add(&zeros(device, 2), 0, &some(device, 3), &zeros(device, 4))
        }),
        misuse!("scatter_add", ["x holds u32, not f32", "x [2], src [2]"], |device| {
            scatter_add(&some(device, 2), 0, &some(device, 2), &zeros(device, 2))
        }),
        misuse!("index_add", ["src is not [3, 5]", "x [2, 5], index [3], src [3]"], |device| {
            index_add(&Tensor::zeros(device, [2, 5]), 0, &some(device, 3), &zeros(device, 3))
        }),
        misuse!("index_add", ["src on CPU", "x [2], src [2]"], |device| {
            index_add(&zeros(device, 2), 0, &some(device, 2), &zeros(&Device::Cpu, 2))
        }),
        misuse!("gather_bwd_x", ["along an axis other than 1", "x [3, 4], index [2], dy [2]"], |device| {
            gather_bwd_x(&zeros(device, 2), 1, &some(device, 2), [3, 4])
        }),
        misuse!("gather_bwd_x", ["index holds f32, not u32"], |device| {
            gather_bwd_x(&zeros(device, 2), 0, &zeros(device, 2), [3])
        }),
        misuse!("index_select_bwd_x", ["dy is not [3, 5]", "x [2, 5], index [3], dy [3]"], |device| {
            index_select_bwd_x(&zeros(device, 3), 0, &some(device, 3), [2, 5])
        }),
    ]
}
