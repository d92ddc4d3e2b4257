//! What is timed.

use crate::Bench;
use gpu_core::Tensor;

pub fn benches() -> Vec<Bench> {
    vec![
        Bench::new("eye", "4096 rows", 0, |device| {
            let device = device.clone();
            move || vec![Tensor::eye(&device, 4096)]
        }),
        Bench::new("linspace", "16777216 numbers", 0, |device| {
            let device = device.clone();
            move || vec![Tensor::linspace(&device, 0.0, 1.0, 1 << 24)]
        }),
    ]
}
