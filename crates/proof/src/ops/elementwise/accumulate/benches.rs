//! What is timed.

use crate::{Bench, tensor};
use gpu_core::Tensor;
use gpu_core::ops::accumulate;

pub fn benches() -> Vec<Bench> {
    vec![Bench::new("accumulate", "16777216 elements", 2 << 24, |device| {
        let (x, y) = (tensor(device, [1 << 24], 1), Tensor::zeros(device, [1 << 24]));
        move || {
            accumulate(&x, &y, 0.5, 1.0);
            Vec::new()
        }
    })]
}
