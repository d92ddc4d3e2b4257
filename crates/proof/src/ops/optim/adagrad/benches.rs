//! What is timed.

use crate::{Bench, flat_parameters};
use gpu_core::Tensor;
use gpu_core::ops::{AdagradHyper, adagrad_step};

pub fn benches() -> Vec<Bench> {
    vec![Bench::new("adagrad_step", "16777216 elements", 8 << 24, |device| {
        let [w, g, sum] = flat_parameters(device, 1 << 24);
        let hyper = Tensor::from_slice(device, [8], &AdagradHyper::default().at_step(1));
        move || {
            adagrad_step(&w, &g, &sum, &hyper);
            Vec::new()
        }
    })]
}
