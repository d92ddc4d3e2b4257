//! What is timed.

use crate::{Bench, tensor};
use gpu_core::ops::{add_bias, add_bias_bwd_b};

pub fn benches() -> Vec<Bench> {
    let shapes: [(&'static str, [usize; 4]); 2] = [("128x64x32x32", [128, 64, 32, 32]), ("4096x1024", [4096, 1024, 1, 1])];
    let both = |(what, shape): (&'static str, [usize; 4])| {
        let forward = Bench::new("add_bias", what, 0, move |device| {
            let (x, b) = (tensor(device, shape, 1), tensor(device, [shape[1]], 2));
            move || vec![add_bias(&x, &b)]
        });
        let backward = Bench::new("add_bias_bwd_b", what, 0, move |device| {
            let dy = tensor(device, shape, 1);
            move || vec![add_bias_bwd_b(&dy)]
        });
        [forward, backward]
    };
    shapes.into_iter().flat_map(both).collect()
}
