//! What is timed.

use super::cases::hyper;
use crate::{Bench, flat_parameters};
use gpu_core::Tensor;
use gpu_core::ops::rmsprop_step;

pub fn benches() -> Vec<Bench> {
    vec![
        Bench::new("rmsprop_step", "16777216 elements", 9 << 24, |device| {
            let [w, g, s] = flat_parameters(device, 1 << 24);
            let hyper = Tensor::from_slice(device, [8], &hyper(0.0, false).to_array());
            move || {
                rmsprop_step(&w, &g, &s, None, None, &hyper);
                Vec::new()
            }
        }),
        Bench::new("rmsprop_step", "16777216 elements, momentum", 11 << 24, |device| {
            let [w, g, s, buf] = flat_parameters(device, 1 << 24);
            let hyper = Tensor::from_slice(device, [8], &hyper(0.9, false).to_array());
            move || {
                rmsprop_step(&w, &g, &s, Some(&buf), None, &hyper);
                Vec::new()
            }
        }),
        Bench::new("rmsprop_step", "16777216 elements, centered", 14 << 24, |device| {
            let [w, g, s, mean] = flat_parameters(device, 1 << 24);
            let hyper = Tensor::from_slice(device, [8], &hyper(0.0, true).to_array());
            move || {
                rmsprop_step(&w, &g, &s, None, Some(&mean), &hyper);
                Vec::new()
            }
        }),
        Bench::new("rmsprop_step", "16777216 elements, centered, momentum", 16 << 24, |device| {
            let [w, g, s, buf, mean] = flat_parameters(device, 1 << 24);
            let hyper = Tensor::from_slice(device, [8], &hyper(0.9, true).to_array());
            move || {
                rmsprop_step(&w, &g, &s, Some(&buf), Some(&mean), &hyper);
                Vec::new()
            }
        }),
    ]
}
