//! Wrong calls, and what their panics say.

use super::cases::{KEY, step};
use crate::{Misuse, misuse};
use gpu_core::ops::{bernoulli, normal, permutation, randint, uniform};
use gpu_core::{Device, Tensor};

pub fn wrong_calls() -> Vec<Misuse> {
    fn of(device: &Device) -> Tensor {
        step(device, 0)
    }
    vec![
        misuse!("uniform", ["from 1 below 1", "y [2]"], |d| uniform([2], 1.0, 1.0, KEY, &of(d))),
        misuse!("uniform", ["step must be one u32", "step f32 [1]", "y [2]"], |d| uniform(
            [2],
            0.0,
            1.0,
            KEY,
            &Tensor::zeros(d, [1])
        )),
        misuse!("normal", ["standard deviation -1", "y [2]"], |d| normal([2], 0.0, -1.0, KEY, &of(d))),
        misuse!("bernoulli", ["p 1.5 is not in [0, 1]", "y [2]"], |d| bernoulli([2], 1.5, KEY, &of(d))),
        misuse!("randint", ["from 3 below 3", "y [2]"], |d| randint([2], 3, 3, KEY, &of(d))),
        misuse!("permutation", ["step must be one u32", "step u32 [2]", "y [9]"], |d| {
            permutation(9, KEY, &Tensor::from_slice(d, [2], &[0u32, 1]))
        }),
    ]
}
