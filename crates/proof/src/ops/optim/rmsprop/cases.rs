//! What is held against the mirror.

use crate::{Bound, Case, tensor};
use gpu_core::ops::{RmspropHyper, rmsprop_step};
use gpu_core::{Device, Tensor};

/// Momentum and whether the mean is taken off; the weight decay changes with them.
pub(super) const FORMS: [(f64, bool); 4] = [(0.0, false), (0.9, false), (0.0, true), (0.5, true)];

pub(super) fn hyper(momentum: f64, centered: bool) -> RmspropHyper {
    let weight_decay = if centered { 0.01 } else { 0.0 };
    RmspropHyper { lr: 0.1, alpha: 0.9, eps: 1e-3, weight_decay, momentum }
}

/// Three steps; parameters first.
pub(super) fn three_steps(device: &Device, len: usize, momentum: f64, centered: bool) -> Vec<Tensor> {
    let w = tensor(device, [len], 1);
    let [square_avg, buffer, mean] = [0; 3].map(|_| Tensor::zeros(device, [len]));
    let figures = Tensor::from_slice(device, [8], &hyper(momentum, centered).to_array());
    for step in 0..3 {
        let (buffer, mean) = ((momentum > 0.0).then_some(&buffer), centered.then_some(&mean));
        rmsprop_step(&w, &tensor(device, [len], 2 + step), &square_avg, buffer, mean, &figures);
    }
    vec![w, square_avg, buffer, mean]
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for len in [1usize, 5, 1021, 300_007] {
        for (momentum, centered) in FORMS {
            let what = format!("{len} elements, momentum {momentum}, centered {centered}");
            // From zeros, the square of the mean is well below the mean square for ten steps: nothing cancels.
            let bound = Bound::own(5e-6);
            cases.push(Case::new("rmsprop_step", what, bound, move |device| three_steps(device, len, momentum, centered)));
        }
    }
    cases
}
