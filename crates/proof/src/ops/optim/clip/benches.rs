//! What is timed.

use crate::{Bench, tensor};
use gpu_core::ops::{clip_grad_norm, clip_grad_value};

pub fn benches() -> Vec<Bench> {
    vec![
        Bench::new("clip_grad_norm", "16777216 elements", 3 << 24, |device| {
            let g = tensor(device, [1 << 24], 1);
            move || vec![clip_grad_norm(&[&g], 1.0)]
        }),
        Bench::new("clip_grad_value", "16777216 elements", 0, |device| {
            let g = tensor(device, [1 << 24], 1);
            move || {
                clip_grad_value(&[&g], 0.5);
                Vec::new()
            }
        }),
    ]
}
