//! What is timed.

use crate::{Bench, flat_parameters};
use gpu_core::Tensor;
use gpu_core::ops::{AdadeltaHyper, adadelta_step};

pub fn benches() -> Vec<Bench> {
    vec![Bench::new("adadelta_step", "16777216 elements", 16 << 24, |device| {
        let [w, g, square_avg, acc_delta] = flat_parameters(device, 1 << 24);
        let hyper = Tensor::from_slice(device, [8], &AdadeltaHyper::default().to_array());
        move || {
            adadelta_step(&w, &g, &square_avg, &acc_delta, &hyper);
            Vec::new()
        }
    })]
}
