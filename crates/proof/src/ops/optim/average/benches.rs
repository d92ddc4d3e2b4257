//! What is timed.

use crate::{Bench, tensor};
use gpu_core::ops::{ema_step, exchange, lookahead_step};
use gpu_core::{Device, Tensor};

pub fn benches() -> Vec<Bench> {
    let pair = |device: &Device| (tensor(device, [1 << 24], 1), tensor(device, [1 << 24], 2));
    vec![
        Bench::new("ema_step", "16777216 elements", 3 << 24, move |device| {
            let ((w, ema), far) = (pair(device), Tensor::scalar(device, 0.001));
            move || {
                ema_step(&w, &ema, &far);
                Vec::new()
            }
        }),
        Bench::new("lookahead_step", "16777216 elements", 3 << 24, move |device| {
            let ((w, slow), far) = (pair(device), Tensor::scalar(device, 0.5));
            move || {
                lookahead_step(&w, &slow, &far);
                Vec::new()
            }
        }),
        Bench::new("exchange", "16777216 elements", 0, move |device| {
            let (w, other) = pair(device);
            move || {
                exchange(&w, &other);
                Vec::new()
            }
        }),
    ]
}
