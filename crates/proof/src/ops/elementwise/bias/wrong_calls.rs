//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::ops::{add_bias, add_bias_bwd_b};
use gpu_core::{Device, Tensor};

pub fn wrong_calls() -> Vec<Misuse> {
    fn zeros(device: &Device, dims: &[usize]) -> Tensor {
        Tensor::zeros(device, dims)
    }
    fn words(device: &Device) -> Tensor {
        Tensor::from_slice(device, [1, 2], &[1u32, 2])
    }
    vec![
        misuse!("add_bias", ["x has 3 channels", "x [2, 3, 4], b [4]"], |device| {
            add_bias(&zeros(device, &[2, 3, 4]), &zeros(device, &[4]))
        }),
        misuse!("add_bias", ["x needs axes", "x [3], b [3]"], |device| add_bias(&zeros(device, &[3]), &zeros(device, &[3]))),
        misuse!("add_bias", ["x holds u32, not f32", "x [1, 2], b [2]"], |device| add_bias(&words(device), &zeros(device, &[2]))),
        misuse!("add_bias", ["b on CPU", "x [1, 2], b [2]"], |device| {
            add_bias(&zeros(device, &[1, 2]), &zeros(&Device::Cpu, &[2]))
        }),
        misuse!("add_bias_bwd_b", ["dy needs axes", "dy [3]"], |device| add_bias_bwd_b(&zeros(device, &[3]))),
        misuse!("add_bias_bwd_b", ["dy holds u32, not f32", "dy [1, 2]"], |device| add_bias_bwd_b(&words(device))),
    ]
}
