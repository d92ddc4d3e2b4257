//! Wrong calls, and what their panics say.

use super::cases::{MEAN, STD, pixels, warps};
use crate::{Misuse, misuse};
use gpu_core::ops::{Warp, warp, warp_masks};
use gpu_core::{DType, Device, Tensor};

pub fn wrong_calls() -> Vec<Misuse> {
    fn indices(device: &Device, len: usize) -> Tensor {
        Tensor::from_slice(device, [len], &vec![0u32; len])
    }
    fn plain(device: &Device, len: usize) -> Tensor {
        warps(device, &vec![Warp::default(); len])
    }
    fn labels(device: &Device, shape: [usize; 3]) -> Tensor {
        Tensor::zeros_of(device, shape, DType::U32)
    }
    vec![
        misuse!("warp_masks", ["masks must be (M, H, W)", "masks [2, 1, 3, 3], labels [2, 3, 3]"], |d| {
            warp_masks(&pixels(d, [2, 1, 3, 3]), &indices(d, 2), &plain(d, 2), &labels(d, [2, 3, 3]), 255)
        }),
        misuse!("warp_masks", ["a side of 20000 is over 16,384"], |d| {
            warp_masks(&pixels(d, [1, 1, 1]), &indices(d, 1), &plain(d, 1), &labels(d, [1, 1, 20_000]), 255)
        }),
        misuse!("warp_masks", ["one index and 28 words", "indices [2], warps [3, 28], labels [2, 3, 3]"], |d| {
            warp_masks(&pixels(d, [2, 3, 3]), &indices(d, 2), &plain(d, 3), &labels(d, [2, 3, 3]), 255)
        }),
        misuse!("warp_masks", ["they hold [U8, U32, I32, F32]"], |d| {
            warp_masks(&pixels(d, [1, 3, 3]), &indices(d, 1), &plain(d, 1), &Tensor::zeros(d, [1, 3, 3]), 255)
        }),
        misuse!("warp_masks", ["on CPU"], |d| {
            warp_masks(&pixels(d, [1, 3, 3]), &indices(&Device::Cpu, 1), &plain(d, 1), &labels(d, [1, 3, 3]), 255)
        }),
        misuse!("warp", ["images must be (M, C, H, W)", "images [2, 1, 3, 3], x [2, 2, 3, 3]"], |d| {
            warp(&pixels(d, [2, 1, 3, 3]), &indices(d, 2), &plain(d, 2), &Tensor::zeros(d, [2, 2, 3, 3]), MEAN, STD)
        }),
        misuse!("warp", ["5 channels are over 4"], |d| {
            warp(&pixels(d, [1, 5, 3, 3]), &indices(d, 1), &plain(d, 1), &Tensor::zeros(d, [1, 5, 3, 3]), MEAN, STD)
        }),
        misuse!("warp", ["a side of 20000 is over 16,384"], |d| {
            warp(&pixels(d, [1, 1, 1, 1]), &indices(d, 1), &plain(d, 1), &Tensor::zeros(d, [1, 1, 1, 20_000]), MEAN, STD)
        }),
        misuse!("warp", ["one index and 28 words", "indices [2], warps [3, 28], x [2, 1, 3, 3]"], |d| {
            warp(&pixels(d, [2, 1, 3, 3]), &indices(d, 2), &plain(d, 3), &Tensor::zeros(d, [2, 1, 3, 3]), MEAN, STD)
        }),
        misuse!("warp", ["they hold [U8, U32, F32, F32]"], |d| {
            let words = Tensor::zeros(d, [1, Warp::WORDS]);
            warp(&pixels(d, [1, 1, 3, 3]), &indices(d, 1), &words, &Tensor::zeros(d, [1, 1, 3, 3]), MEAN, STD)
        }),
        misuse!("warp", ["on CPU"], |d| {
            let x = Tensor::zeros(d, [1, 1, 3, 3]);
            warp(&pixels(d, [1, 1, 3, 3]), &indices(&Device::Cpu, 1), &plain(d, 1), &x, MEAN, STD)
        }),
    ]
}
