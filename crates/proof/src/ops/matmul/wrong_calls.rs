//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::ops::{matmul, matmul_ta, matmul_tb};
use gpu_core::{Device, Tensor};

fn zeros(device: &Device, dims: &[usize]) -> Tensor {
    Tensor::zeros(device, dims)
}

pub fn wrong_calls() -> Vec<Misuse> {
    vec![
        misuse!("matmul", ["the inner extents 3 and 2 differ", "a [2, 3], b [2, 3]"], |device| {
            matmul(&zeros(device, &[2, 3]), &zeros(device, &[2, 3]))
        }),
        misuse!("matmul", ["leading axes [2] and [3] do not broadcast", "a [2, 1, 4], b [3, 4, 1]"], |device| {
            matmul(&zeros(device, &[2, 1, 4]), &zeros(device, &[3, 4, 1]))
        }),
        misuse!("matmul", ["a is a scalar", "a [], b [2]"], |device| matmul(&zeros(device, &[]), &zeros(device, &[2]))),
        misuse!("matmul", ["b holds u32, not f32", "b [2]"], |device| {
            matmul(&zeros(device, &[2]), &Tensor::from_slice(device, [2], &[1u32, 2]))
        }),
        misuse!("matmul", ["b on CPU", "a [2], b [2]"], |device| { matmul(&zeros(device, &[2]), &zeros(&Device::Cpu, &[2])) }),
        misuse!("matmul_ta", ["a is a vector", "a [2], b [2, 3]"], |device| {
            matmul_ta(&zeros(device, &[2]), &zeros(device, &[2, 3]))
        }),
        misuse!("matmul_ta", ["the inner extents 2 and 3 differ", "a [2, 4], b [3, 4]"], |device| {
            matmul_ta(&zeros(device, &[2, 4]), &zeros(device, &[3, 4]))
        }),
        misuse!("matmul_tb", ["the inner extents 4 and 3 differ", "a [2, 4], b [4, 3]"], |device| {
            matmul_tb(&zeros(device, &[2, 4]), &zeros(device, &[4, 3]))
        }),
        misuse!("matmul_tb", ["b is a vector", "a [2, 4], b [4]"], |device| {
            matmul_tb(&zeros(device, &[2, 4]), &zeros(device, &[4]))
        }),
    ]
}
