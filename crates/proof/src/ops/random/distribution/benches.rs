//! What is timed.

use super::cases::{KEY, step};
use crate::Bench;
use gpu_core::Tensor;
use gpu_core::ops::{bernoulli, normal, permutation, randint, uniform};

pub fn benches() -> Vec<Bench> {
    let of = |name, what: &str, f: fn(&Tensor) -> Tensor| {
        Bench::new(name, what, 0, move |device| {
            let step = step(device, 0);
            move || vec![f(&step)]
        })
    };
    vec![
        of("uniform", "4194304 elements", |step| uniform([1 << 22], -0.1, 0.7, KEY, step)),
        of("normal", "4194304 elements", |step| normal([1 << 22], 0.0, 1.0, KEY, step)),
        of("bernoulli", "4194304 elements", |step| bernoulli([1 << 22], 0.5, KEY, step)),
        of("randint", "4194304 elements", |step| randint([1 << 22], 0, 10, KEY, step)),
        of("permutation", "of 1024", |step| permutation(1024, KEY, step)),
        of("permutation", "of 60000", |step| permutation(60_000, KEY, step)),
    ]
}
