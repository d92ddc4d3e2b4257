//! What is held against the mirror.

use crate::{Bound, Case, tensor};
use gpu_core::ops::{AdagradHyper, adagrad_step};
use gpu_core::{Device, Tensor};

pub(super) const HYPERS: [AdagradHyper; 2] = [
    AdagradHyper { lr: 0.1, lr_decay: 0.0, weight_decay: 0.0, eps: 1e-10 },
    AdagradHyper { lr: 0.1, lr_decay: 0.3, weight_decay: 0.05, eps: 1e-3 },
];

/// Three steps from sums of `initial`; parameters first.
pub(super) fn three_steps(device: &Device, len: usize, hyper: AdagradHyper, initial: f32) -> Vec<Tensor> {
    let (w, sum) = (tensor(device, [len], 1), Tensor::full(device, [len], initial));
    for step in 1..4 {
        let figures = Tensor::from_slice(device, [8], &hyper.at_step(step));
        adagrad_step(&w, &tensor(device, [len], 1 + step), &sum, &figures);
    }
    vec![w, sum]
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for len in [1usize, 5, 1021, 300_007] {
        for (hyper, initial) in HYPERS.into_iter().zip([0.0, 0.5]) {
            let what = format!("{len} elements, {hyper:?} from {initial}");
            cases.push(Case::new("adagrad_step", what, Bound::own(2e-6), move |device| three_steps(device, len, hyper, initial)));
        }
    }
    cases
}
