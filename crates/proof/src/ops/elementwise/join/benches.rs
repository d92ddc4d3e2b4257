//! What is timed.

use crate::{Bench, tensor};
use gpu_core::Tensor;
use gpu_core::ops::join;

pub fn benches() -> Vec<Bench> {
    vec![Bench::new("join", "16777216 elements", 1 << 24, |device| {
        let (x, y) = (tensor(device, [1 << 24], 1), Tensor::zeros(device, [1 << 24]));
        move || {
            join(&x, &y);
            Vec::new()
        }
    })]
}
