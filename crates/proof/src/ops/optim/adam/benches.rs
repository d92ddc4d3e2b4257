//! What is timed.

use crate::{Bench, flat_parameters};
use gpu_core::Tensor;
use gpu_core::ops::{AdamHyper, adamw_step, adamw_step_amsgrad};

pub fn benches() -> Vec<Bench> {
    vec![
        Bench::new("adamw_step", "16777216 elements", 14 << 24, |device| {
            let [w, g, m, v] = flat_parameters(device, 1 << 24);
            let hyper = Tensor::from_slice(device, [8], &AdamHyper::default().at_step(1));
            move || {
                adamw_step(&w, &g, &m, &v, &hyper);
                Vec::new()
            }
        }),
        Bench::new("adamw_step_amsgrad", "16777216 elements", 15 << 24, |device| {
            let [w, g, m, v, most] = flat_parameters(device, 1 << 24);
            let hyper = Tensor::from_slice(device, [8], &AdamHyper::default().at_step(1));
            move || {
                adamw_step_amsgrad(&w, &g, &m, &v, &most, &hyper);
                Vec::new()
            }
        }),
    ]
}
