//! What is timed.

use crate::{Bench, tensor};
use gpu_core::ops::{argsort, sort, sort_bwd_x, topk};

pub fn benches() -> Vec<Bench> {
    vec![
        Bench::new("sort", "1048576 elements", 0, |device| {
            let x = tensor(device, [1 << 20], 1);
            move || vec![sort(&x, 0, false).0]
        }),
        Bench::new("sort", "1024x1024 along 0", 0, |device| {
            let x = tensor(device, [1024, 1024], 1);
            move || vec![sort(&x, 0, false).0]
        }),
        Bench::new("topk", "5 of 256x1000", 0, |device| {
            let x = tensor(device, [256, 1000], 1);
            move || vec![topk(&x, 5, 1, true).0]
        }),
        Bench::new("topk", "100 of 1048576", 0, |device| {
            let x = tensor(device, [1 << 20], 1);
            move || vec![topk(&x, 100, 0, true).0]
        }),
        Bench::new("sort_bwd_x", "1048576 elements", 0, |device| {
            let x = tensor(device, [1 << 20], 1);
            let index = argsort(&x, 0, false);
            move || vec![sort_bwd_x(&x, &index, 0, [1 << 20])]
        }),
    ]
}
