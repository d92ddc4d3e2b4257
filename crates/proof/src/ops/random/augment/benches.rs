//! What is timed.

use super::cases::{ALL, pixels};
use crate::Bench;
use gpu_core::ops::{augment, augment_masks, gather_labels};
use gpu_core::rng::Key;
use gpu_core::{DType, Tensor};

pub fn benches() -> Vec<Bench> {
    let augmented = Bench::new("augment", "256x3x32x32 out of 4096, all that is random", 0, |device| {
        let (images, x) = (pixels(device, [4096, 3, 32, 32]), Tensor::empty(device, [256, 3, 32, 32]));
        let indices: Vec<u32> = (0..256).map(|b| b * 7919 % 4096).collect();
        let (indices, step) = (Tensor::from_slice(device, [256], &indices), Tensor::from_slice(device, [1], &[0u32]));
        move || {
            augment(&images, &indices, Key { seed: 5, stream: 6 }, &step, &x, &ALL);
            vec![]
        }
    });
    let masks = Bench::new("augment_masks", "256x32x32 out of 4096, all that is random", 0, |device| {
        let (masks, labels) = (pixels(device, [4096, 32, 32]), Tensor::empty_of(device, [256, 32, 32], DType::U32));
        let indices: Vec<u32> = (0..256).map(|b| b * 7919 % 4096).collect();
        let (indices, step) = (Tensor::from_slice(device, [256], &indices), Tensor::from_slice(device, [1], &[0u32]));
        move || {
            augment_masks(&masks, &indices, Key { seed: 5, stream: 6 }, &step, &labels, &ALL, 255);
            vec![]
        }
    });
    let gathered = Bench::new("gather_labels", "65536 labels", 0, |device| {
        let labels = Tensor::from_slice(device, [1 << 16], &vec![3u32; 1 << 16]);
        let (indices, out) = (labels.clone(), Tensor::empty_of(device, [1 << 16], DType::U32));
        move || {
            gather_labels(&labels, &indices, &out);
            vec![]
        }
    });
    vec![augmented, masks, gathered]
}
