//! What is timed.

use super::cases::HYPERS;
use crate::{Bench, flat_parameters};
use gpu_core::Tensor;
use gpu_core::ops::sgd_step;

pub fn benches() -> Vec<Bench> {
    vec![Bench::new("sgd_step", "16777216 elements", 6 << 24, |device| {
        let [w, g, buf] = flat_parameters(device, 1 << 24);
        let hyper = Tensor::from_slice(device, [8], &HYPERS[4].to_array());
        move || {
            sgd_step(&w, &g, &buf, &hyper);
            Vec::new()
        }
    })]
}
