//! What is timed.

use super::cases::{KEY, step_at};
use crate::{Bench, tensor};
use gpu_core::Tensor;
use gpu_core::ops::{alpha_dropout, dropout, dropout_mask, dropout2d, feature_alpha_dropout, gaussian_noise};

pub fn benches() -> Vec<Bench> {
    const SHAPE: [usize; 4] = [128, 64, 32, 32];
    let functions: [(&str, fn(&Tensor, &Tensor) -> Tensor); 6] = [
        ("dropout", |x, step| dropout(x, 0.5, KEY, step)),
        ("dropout2d", |x, step| dropout2d(x, 0.5, KEY, step)),
        ("alpha_dropout", |x, step| alpha_dropout(x, 0.5, KEY, step)),
        ("feature_alpha_dropout", |x, step| feature_alpha_dropout(x, 0.5, KEY, step)),
        ("gaussian_noise", |x, step| gaussian_noise(x, 1.0, 0.5, KEY, step)),
        ("dropout_mask", |x, step| dropout_mask(x.shape(), 0.5, KEY, step)),
    ];
    let bench = |(name, f): (&'static str, fn(&Tensor, &Tensor) -> Tensor)| {
        Bench::new(name, "128x64x32x32", 0, move |device| {
            let (x, step) = (tensor(device, SHAPE, 1), step_at(device, 0));
            move || vec![f(&x, &step)]
        })
    };
    functions.into_iter().map(bench).collect()
}
