//! What is timed.

use crate::{Bench, tensor};
use gpu_core::Tensor;
use gpu_core::ops::{take_back, unscale};

pub fn benches() -> Vec<Bench> {
    vec![
        Bench::new("unscale", "16777216 elements", 1 << 24, |device| {
            let (g, state) = (tensor(device, [1 << 24], 1), Tensor::from_slice(device, [3], &[1.0f32, 0.0, 0.0]));
            move || vec![unscale(&g, &state, u32::MAX)]
        }),
        Bench::new("take_back", "16777216 elements", 0, |device| {
            let (before, now) = (tensor(device, [1 << 24], 1), tensor(device, [1 << 24], 2));
            let verdict = Tensor::from_slice(device, [2], &[1.0f32, 1.0]);
            move || {
                take_back(&verdict, &before, &now);
                Vec::new()
            }
        }),
    ]
}
