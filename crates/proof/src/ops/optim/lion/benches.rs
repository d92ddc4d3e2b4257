//! What is timed.

use crate::{Bench, flat_parameters};
use gpu_core::Tensor;
use gpu_core::ops::{LionHyper, lion_step};

pub fn benches() -> Vec<Bench> {
    vec![Bench::new("lion_step", "16777216 elements", 10 << 24, |device| {
        let [w, g, m] = flat_parameters(device, 1 << 24);
        let hyper = Tensor::from_slice(device, [8], &LionHyper::default().to_array());
        move || {
            lion_step(&w, &g, &m, &hyper);
            Vec::new()
        }
    })]
}
