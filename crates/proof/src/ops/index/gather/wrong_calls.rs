//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::ops::{gather, index_select, one_hot};
use gpu_core::{Device, Tensor};

fn some(device: &Device, n: usize) -> Tensor {
    Tensor::from_slice(device, [n], &vec![0u32; n])
}

pub fn wrong_calls() -> Vec<Misuse> {
    vec![
        misuse!("gather", ["no axis 1", "x [2], index [2]"], |device| gather(&Tensor::zeros(device, [2]), 1, &some(device, 2))),
        misuse!("gather", ["along an axis other than 1", "x [3, 4], index [2]"], |device| {
            gather(&Tensor::zeros(device, [3, 4]), 1, &some(device, 2))
        }),
        misuse!("gather", ["index holds f32, not u32"], |device| {
            gather(&Tensor::zeros(device, [2]), 0, &Tensor::zeros(device, [2]))
        }),
        misuse!("index_select", ["x holds bool", "x [1], index [2]"], |device| {
            index_select(&Tensor::from_slice(device, [1], &[true]), 0, &some(device, 2))
        }),
        misuse!("index_select", ["no axis 2", "x [2, 3], index [2]"], |device| {
            index_select(&Tensor::zeros(device, [2, 3]), 2, &some(device, 2))
        }),
        misuse!("index_select", ["rank 7", "x [1, 1, 1, 1, 1, 1], index [1, 1]"], |device| {
            index_select(&Tensor::zeros(device, [1; 6]), 2, &some(device, 1).reshape([1, 1]))
        }),
        misuse!("index_select", ["index on CPU", "x [2], index [2]"], |device| {
            index_select(&Tensor::zeros(device, [2]), 0, &some(&Device::Cpu, 2))
        }),
        misuse!("one_hot", ["labels holds f32, not u32", "labels [2]"], |device| one_hot(&Tensor::zeros(device, [2]), 3)),
        misuse!("one_hot", ["rank 6", "labels [1, 1, 1, 1, 1, 1]"], |device| one_hot(&some(device, 1).reshape([1; 6]), 3)),
    ]
}
