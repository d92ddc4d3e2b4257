//! What is timed.

use super::cases::bools;
use crate::{Bench, tensor};
use gpu_core::ops::{add, add_scaled, copy_into, gt, logical_not, maximum_bwd_a, mul, pow, scale, spread, where_};
use gpu_core::{Device, Shape, Tensor};

pub fn benches() -> Vec<Bench> {
    const LEN: usize = 1 << 24;
    const IMAGES: [usize; 4] = [128, 64, 32, 32];
    let x = |device: &Device| tensor(device, [LEN], 1);
    vec![
        Bench::new("add", "16777216 elements", LEN as u64, move |device| {
            let x = x(device);
            move || vec![add(&x, &x)]
        }),
        Bench::new("mul", "128x64x32x32 by channels", LEN as u64 / 2, |device| {
            let (x, b) = (tensor(device, IMAGES, 1), tensor(device, [64, 1, 1], 2));
            move || vec![mul(&x, &b)]
        }),
        Bench::new("mul", "128x64x31x31 by channels", 0, |device| {
            let (x, b) = (tensor(device, [128, 64, 31, 31], 1), tensor(device, [64, 1, 1], 2));
            move || vec![mul(&x, &b)]
        }),
        Bench::new("pow", "16777216 elements", 0, move |device| {
            let x = x(device);
            move || vec![pow(&x, &x)]
        }),
        Bench::new("maximum_bwd_a", "16777216 elements", 0, move |device| {
            let x = x(device);
            move || vec![maximum_bwd_a(&x, &x, &x)]
        }),
        Bench::new("gt", "16777216 elements", 0, move |device| {
            let (x, zero) = (x(device), Tensor::zeros(device, Shape::SCALAR));
            move || vec![gt(&x, &zero)]
        }),
        Bench::new("logical_not", "16777216 elements", 0, move |device| {
            let x = bools(device, [LEN].into(), 1);
            move || vec![logical_not(&x)]
        }),
        Bench::new("where_", "16777216 elements", 0, move |device| {
            let (cond, x) = (bools(device, [LEN].into(), 1), x(device));
            move || vec![where_(&cond, &x, &x)]
        }),
        Bench::new("spread", "128x64 to 128x64x32x32", 0, |device| {
            let x = tensor(device, [128, 64, 1, 1], 1);
            move || vec![spread(&x, IMAGES, 0.5)]
        }),
        Bench::new("scale", "16777216 elements", 0, move |device| {
            let x = x(device);
            move || vec![scale(&x, 0.5)]
        }),
        Bench::new("add_scaled", "16777216 elements", 0, move |device| {
            let x = x(device);
            move || vec![add_scaled(&x, &x, 0.5)]
        }),
        Bench::new("copy_into", "16777216 elements", 0, move |device| {
            let (x, y) = (x(device), Tensor::zeros(device, [LEN]));
            move || {
                copy_into(&x, &y);
                vec![]
            }
        }),
    ]
}
