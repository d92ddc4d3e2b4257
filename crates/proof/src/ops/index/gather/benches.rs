//! What is timed.

use crate::{Bench, indices, tensor};
use gpu_core::ops::{gather, index_select, one_hot};
use gpu_core::{Device, Shape, Tensor};

pub fn benches() -> Vec<Bench> {
    let index = |device: &Device, shape: &[usize], size| {
        let shape = Shape::new(shape);
        Tensor::from_slice(device, shape, &indices(shape.len(), size, 2))
    };
    vec![
        Bench::new("index_select", "8192 rows of 50000x512", 0, move |device| {
            let (x, index) = (tensor(device, [50_000, 512], 1), index(device, &[8192], 50_000));
            move || vec![index_select(&x, 0, &index)]
        }),
        Bench::new("index_select", "1000000 of 1000000", 0, move |device| {
            let (x, index) = (tensor(device, [1_000_000], 1), index(device, &[1_000_000], 1_000_000));
            move || vec![index_select(&x, 0, &index)]
        }),
        Bench::new("gather", "1024x1024 of 1024x1000", 0, move |device| {
            let (x, index) = (tensor(device, [1024, 1000], 1), index(device, &[1024, 1024], 1000));
            move || vec![gather(&x, 1, &index)]
        }),
        Bench::new("one_hot", "8192 of 1000", 0, move |device| {
            let labels = index(device, &[8192], 1000);
            move || vec![one_hot(&labels, 1000)]
        }),
    ]
}
