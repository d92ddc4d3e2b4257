//! Wrong calls, and what their panics say.

use super::cases::{KEY, NORMAL, pixels};
use crate::{Misuse, misuse};
use gpu_core::ops::{augment, augment_masks, gather_labels};
use gpu_core::{DType, Device, Tensor};

pub fn wrong_calls() -> Vec<Misuse> {
    fn numbers(device: &Device, len: usize) -> Tensor {
        Tensor::from_slice(device, [len], &vec![0u32; len])
    }
    fn labels(device: &Device, shape: [usize; 3]) -> Tensor {
        Tensor::zeros_of(device, shape, DType::U32)
    }
    vec![
        misuse!("augment_masks", ["masks must be (M, H, W)", "masks [2, 3, 3], labels [2, 3, 4]"], |d| {
            augment_masks(&pixels(d, [2, 3, 3]), &numbers(d, 2), KEY, &numbers(d, 1), &labels(d, [2, 3, 4]), &NORMAL, 255)
        }),
        misuse!("augment_masks", ["one index for each", "indices [3], labels [2, 3, 3]"], |d| {
            augment_masks(&pixels(d, [2, 3, 3]), &numbers(d, 3), KEY, &numbers(d, 1), &labels(d, [2, 3, 3]), &NORMAL, 255)
        }),
        misuse!("augment_masks", ["they hold [U8, U32, U32, F32]"], |d| {
            augment_masks(&pixels(d, [2, 3, 3]), &numbers(d, 2), KEY, &numbers(d, 1), &Tensor::zeros(d, [2, 3, 3]), &NORMAL, 255)
        }),
        misuse!("augment_masks", ["step must be one u32", "step [2]"], |d| {
            augment_masks(&pixels(d, [2, 3, 3]), &numbers(d, 2), KEY, &numbers(d, 2), &labels(d, [2, 3, 3]), &NORMAL, 255)
        }),
        misuse!("augment_masks", ["on CPU"], |d| {
            let cpu = numbers(&Device::Cpu, 2);
            augment_masks(&pixels(d, [2, 3, 3]), &cpu, KEY, &numbers(d, 1), &labels(d, [2, 3, 3]), &NORMAL, 255)
        }),
        misuse!("augment", ["images must be (M, C, H, W)", "images [2, 1, 3, 3], x [2, 1, 3, 4]"], |d| {
            let x = Tensor::zeros(d, [2, 1, 3, 4]);
            augment(&pixels(d, [2, 1, 3, 3]), &numbers(d, 2), KEY, &numbers(d, 1), &x, &NORMAL)
        }),
        misuse!("augment", ["one index for each image", "indices [3], x [2, 1, 3, 3]"], |d| {
            let x = Tensor::zeros(d, [2, 1, 3, 3]);
            augment(&pixels(d, [2, 1, 3, 3]), &numbers(d, 3), KEY, &numbers(d, 1), &x, &NORMAL)
        }),
        misuse!("augment", ["they hold [F32, U32, U32, F32]"], |d| {
            let x = Tensor::zeros(d, [2, 1, 3, 3]);
            augment(&Tensor::zeros(d, [2, 1, 3, 3]), &numbers(d, 2), KEY, &numbers(d, 1), &x, &NORMAL)
        }),
        misuse!("augment", ["step must be one u32", "step [2]"], |d| {
            let x = Tensor::zeros(d, [2, 1, 3, 3]);
            augment(&pixels(d, [2, 1, 3, 3]), &numbers(d, 2), KEY, &numbers(d, 2), &x, &NORMAL)
        }),
        misuse!("gather_labels", ["must be (M), indices and out (B)", "([3], [2], [4])"], |d| {
            gather_labels(&numbers(d, 3), &numbers(d, 2), &numbers(d, 4))
        }),
        misuse!("gather_labels", ["must hold u32", "out [2]"], |d| {
            gather_labels(&numbers(d, 3), &numbers(d, 2), &Tensor::zeros(d, [2]))
        }),
        misuse!("gather_labels", ["on CPU"], |d| gather_labels(&numbers(d, 3), &numbers(&Device::Cpu, 2), &numbers(d, 2))),
    ]
}
