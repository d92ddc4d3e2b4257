//! What is timed.

use crate::{Bench, tensor};
use gpu_core::ops::{adaptive_avg_pool2d, adaptive_avg_pool2d_bwd_x, adaptive_max_pool2d, adaptive_max_pool2d_bwd_x};

pub fn benches() -> Vec<Bench> {
    // The end of a VGG, and whole planes.
    let rows = [([32, 512, 14, 14], [7, 7]), ([32, 256, 32, 32], [1, 1])];
    let of = |(shape, output): ([usize; 4], [usize; 2])| {
        let (what, y) = (format!("{shape:?} to {output:?}"), [shape[0], shape[1], output[0], output[1]]);
        [
            Bench::new("adaptive_avg_pool2d", what.clone(), 0, move |device| {
                let x = tensor(device, shape, 1);
                move || vec![adaptive_avg_pool2d(&x, output)]
            }),
            Bench::new("adaptive_avg_pool2d_bwd_x", what.clone(), 0, move |device| {
                let dy = tensor(device, y, 1);
                move || vec![adaptive_avg_pool2d_bwd_x(&dy, shape.into())]
            }),
            Bench::new("adaptive_max_pool2d", what.clone(), 0, move |device| {
                let x = tensor(device, shape, 1);
                move || vec![adaptive_max_pool2d(&x, output).0]
            }),
            Bench::new("adaptive_max_pool2d_bwd_x", what, 0, move |device| {
                let (_, indices) = adaptive_max_pool2d(&tensor(device, shape, 1), output);
                let dy = tensor(device, y, 1);
                move || vec![adaptive_max_pool2d_bwd_x(&dy, &indices, shape.into())]
            }),
        ]
    };
    rows.into_iter().flat_map(of).collect()
}
