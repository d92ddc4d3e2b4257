//! What is timed.

use super::cases::{MEAN, STD, all, pixels, warps};
use crate::Bench;
use gpu_core::ops::{Warp, warp, warp_masks};
use gpu_core::{DType, Tensor};

pub fn benches() -> Vec<Bench> {
    const SIDES: [usize; 2] = [32, 32];
    let masks = Bench::new("warp_masks", "256x32x32 out of 4096, all that is done", 0, |device| {
        let (masks, labels) = (pixels(device, [4096, 32, 32]), Tensor::empty_of(device, [256, 32, 32], DType::U32));
        let indices: Vec<u32> = (0..256).map(|b| b * 7919 % 4096).collect();
        let warps = warps(device, &(0..256).map(|b| all(b, 256, SIDES, SIDES)).collect::<Vec<_>>());
        let indices = Tensor::from_slice(device, [256], &indices);
        move || {
            warp_masks(&masks, &indices, &warps, &labels, 255);
            vec![]
        }
    });
    let pictures = [("as they are", false), ("all that is done", true)].map(|(what, changed)| {
        Bench::new("warp", format!("256x3x32x32 out of 4096, {what}"), 0, move |device| {
            let (images, x) = (pixels(device, [4096, 3, 32, 32]), Tensor::empty(device, [256, 3, 32, 32]));
            let indices: Vec<u32> = (0..256).map(|b| b * 7919 % 4096).collect();
            let of = |b: usize| if changed { all(b, 256, SIDES, SIDES) } else { Warp::default() };
            let warps = warps(device, &(0..256).map(of).collect::<Vec<_>>());
            let indices = Tensor::from_slice(device, [256], &indices);
            move || {
                warp(&images, &indices, &warps, &x, MEAN, STD);
                vec![]
            }
        })
    });
    pictures.into_iter().chain([masks]).collect()
}
