//! What is held against the mirror.

use crate::{Bound, Case};
use gpu_core::ops::{Augment, augment, augment_masks, gather_labels};
use gpu_core::rng::Key;
use gpu_core::{DType, Device, Tensor};

/// Pixels that are a pure function of their position.
pub(super) fn pixels<const RANK: usize>(device: &Device, shape: [usize; RANK]) -> Tensor {
    let bytes: Vec<u8> = (0..shape.iter().product()).map(|i: usize| ((i as u64 * 2_654_435_761) >> 7) as u8).collect();
    Tensor::from_slice(device, shape, &bytes)
}

pub(super) const NORMAL: Augment =
    Augment { flip: false, crop_padding: 0, cutout: 0, mean: [0.49, 0.48, 0.45, 0.5], std: [0.25, 0.24, 0.26, 0.5] };
pub(super) const ALL: Augment = Augment { flip: true, crop_padding: 4, cutout: 5, ..NORMAL };

/// What the tests draw with.
pub(super) const KEY: Key = Key { seed: 11, stream: 3 };

pub fn cases() -> Vec<Case> {
    const SHAPES: &[([usize; 4], usize)] = &[
        ([1, 1, 1, 1], 1),
        ([7, 1, 28, 28], 13),
        ([5, 3, 7, 5], 11),
        ([3, 2, 5, 6], 3),
        ([2, 4, 3, 11], 7),
        ([19, 3, 32, 32], 128),
    ];
    let mut cases = Vec::new();
    for &(shape, batch) in SHAPES {
        for how in [NORMAL, ALL, Augment { crop_padding: 40, cutout: 64, ..ALL }] {
            // A pixel and its channel's mean, whose difference this is, are all of one size.
            let bound = Bound::Relative(5e-7);
            cases.push(Case::new("augment", format!("{shape:?}, batch {batch}, {how:?}"), bound, move |device| {
                let [m, c, h, w] = shape;
                let chosen: Vec<u32> = (0..batch).map(|b| (b * 7919 % m) as u32).collect();
                let indices = Tensor::from_slice(device, [batch], &chosen);
                let step = Tensor::from_slice(device, [1], &[3u32]);
                let x = Tensor::empty(device, [batch, c, h, w]);
                augment(&pixels(device, shape), &indices, Key { seed: 1 << 40 | 5, stream: 6 }, &step, &x, &how);
                vec![x]
            }));
            cases.push(Case::new("augment_masks", format!("{shape:?}, batch {batch}, {how:?}"), Bound::Exact, move |device| {
                let [m, _, h, w] = shape;
                // One past the end: no mask.
                let chosen: Vec<u32> = (0..batch).map(|b| (b * 7919 % (m + 1)) as u32).collect();
                let indices = Tensor::from_slice(device, [batch], &chosen);
                let step = Tensor::from_slice(device, [1], &[3u32]);
                let labels = Tensor::empty_of(device, [batch, h, w], DType::U32);
                let key = Key { seed: 1 << 40 | 5, stream: 6 };
                augment_masks(&pixels(device, [m, h, w]), &indices, key, &step, &labels, &how, 70_001);
                vec![labels]
            }));
        }
    }
    for batch in [1usize, 257, 100_003] {
        cases.push(Case::new("gather_labels", format!("{batch} labels"), Bound::Exact, move |device| {
            let labels: Vec<u32> = (0..50_021).map(|i| i * 31 % 1000).collect();
            let indices: Vec<u32> = (0..batch as u32).map(|i| i * 7919 % 50_023).collect();
            let out = Tensor::empty_of(device, [batch], DType::U32);
            let labels = Tensor::from_slice(device, [labels.len()], &labels);
            gather_labels(&labels, &Tensor::from_slice(device, [batch], &indices), &out);
            vec![out]
        }));
    }
    cases
}
