//! What is timed.

use crate::{Bench, tensor};
use gpu_core::ops::{pixel_shuffle, pixel_unshuffle};

pub fn benches() -> Vec<Bench> {
    vec![
        Bench::new("pixel_shuffle", "32x64x32x32 by 2", 0, |device| {
            let x = tensor(device, [32, 64, 32, 32], 1);
            move || vec![pixel_shuffle(&x, 2)]
        }),
        Bench::new("pixel_unshuffle", "32x16x64x64 by 2", 0, |device| {
            let x = tensor(device, [32, 16, 64, 64], 1);
            move || vec![pixel_unshuffle(&x, 2)]
        }),
    ]
}
