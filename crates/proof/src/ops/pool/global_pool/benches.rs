//! What is timed.

use crate::{Bench, tensor};
use gpu_core::Shape;
use gpu_core::ops::{global_avg_pool, global_avg_pool_bwd_x};

pub fn benches() -> Vec<Bench> {
    let of = |shape: [usize; 4]| {
        let what = Shape::from(shape).to_string();
        [
            Bench::new("global_avg_pool", what.clone(), 0, move |device| {
                let x = tensor(device, shape, 1);
                move || vec![global_avg_pool(&x)]
            }),
            Bench::new("global_avg_pool_bwd_x", what, 0, move |device| {
                let dy = tensor(device, [shape[0], shape[1], 1, 1], 1);
                move || vec![global_avg_pool_bwd_x(&dy, shape.into())]
            }),
        ]
    };
    // The end of a ResNet for CIFAR, of one whose images are larger, and planes that are summed in parts.
    [[128, 512, 8, 8], [32, 256, 32, 32], [1, 2, 2048, 2049]].into_iter().flat_map(of).collect()
}
