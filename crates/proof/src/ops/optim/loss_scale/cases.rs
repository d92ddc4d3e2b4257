//! What is held against the mirror.

use crate::{Bound, Case, tensor, values};
use gpu_core::Tensor;
use gpu_core::ops::{take_back, unscale};

/// An element of the gradients, and of the state (scale, steps since it changed, steps taken back) what decides.
const STATES: [(f32, [f32; 3]); 6] = [
    (0.5, [1024.0, 3.0, 1.0]),
    (0.5, [1024.0, 9.0, 1.0]),
    (f32::INFINITY, [1024.0, 9.0, 1.0]),
    (f32::NAN, [2.0, 0.0, 7.0]),
    (f32::NEG_INFINITY, [1.0, 3.0, 10.0]),
    (0.5, [16_777_216.0, 9.0, 0.0]),
];

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for len in [1usize, 5, 1021, 300_007, 5_000_011] {
        for (one, state) in STATES {
            // One in the middle of a sum is not to be lost, nor the last.
            let at = if one.is_nan() { len - 1 } else { len / 3 };
            let what = format!("{len} elements, number {at} is {one}, {state:?}");
            cases.push(Case::new("unscale", what, Bound::Exact, move |device| {
                let mut gradients = values(len, len as u64);
                // What is not a number once it is divided has no bits that WGSL promises.
                let finite = gradients.clone();
                gradients[at] = one;
                let [g, divided] = [&gradients, &finite].map(|values| Tensor::from_slice(device, [len], values));
                let [state, other] = [0, 1].map(|_| Tensor::from_slice(device, [3], &state));
                let verdict = unscale(&g, &state, 10);
                unscale(&divided, &other, 10);
                vec![verdict, state, divided, other]
            }));
        }
        for is_taken_back in [0.0f32, 1.0] {
            let what = format!("{len} elements, {is_taken_back}");
            cases.push(Case::new("take_back", what, Bound::Exact, move |device| {
                let (before, now) = (tensor(device, [len], 1), tensor(device, [len], 2));
                take_back(&Tensor::from_slice(device, [2], &[1.0, is_taken_back]), &before, &now);
                vec![now]
            }));
        }
    }
    cases
}
