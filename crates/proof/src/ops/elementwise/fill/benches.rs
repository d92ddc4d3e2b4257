//! What is timed.

use crate::Bench;
use gpu_core::Tensor;

pub fn benches() -> Vec<Bench> {
    vec![Bench::new("fill", "16777216 elements", 0, |device| {
        let y = Tensor::empty(device, [1 << 24]);
        move || {
            y.fill(1.0);
            vec![]
        }
    })]
}
