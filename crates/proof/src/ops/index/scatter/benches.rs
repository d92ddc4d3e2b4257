//! What is timed.

use crate::{Bench, indices, tensor};
use gpu_core::ops::{gather_bwd_x, index_add, index_select_bwd_x, scatter_add};
use gpu_core::{Device, Tensor};

pub fn benches() -> Vec<Bench> {
    let list = |device: &Device, len, size| Tensor::from_slice(device, [len], &indices(len, size, 2));
    vec![
        Bench::new("index_select_bwd_x", "8192 rows of 50000x512", 0, move |device| {
            let (dy, index) = (tensor(device, [8192, 512], 1), list(device, 8192, 50_000));
            move || vec![index_select_bwd_x(&dy, 0, &index, [50_000, 512])]
        }),
        Bench::new("index_select_bwd_x", "8192 rows, all of them one", 0, |device| {
            let (dy, index) = (tensor(device, [8192, 512], 1), Tensor::from_slice(device, [8192], &[7u32; 8192]));
            move || vec![index_select_bwd_x(&dy, 0, &index, [1000, 512])]
        }),
        Bench::new("index_add", "16 rows of 1000x512", 0, move |device| {
            let (x, src) = (tensor(device, [1000, 512], 1), tensor(device, [16, 512], 2));
            let index = list(device, 16, 1000);
            move || vec![index_add(&x, 0, &index, &src)]
        }),
        Bench::new("scatter_add", "1000000 into 1000", 0, move |device| {
            let (x, src) = (tensor(device, [1000], 1), tensor(device, [1_000_000], 2));
            let index = list(device, 1_000_000, 1000);
            move || vec![scatter_add(&x, 0, &index, &src)]
        }),
        Bench::new("gather_bwd_x", "256 of 256x1000", 0, move |device| {
            let dy = tensor(device, [256, 1], 1);
            let index = list(device, 256, 1000).reshape([256, 1]);
            move || vec![gather_bwd_x(&dy, 1, &index, [256, 1000])]
        }),
    ]
}
