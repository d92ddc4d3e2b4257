//! What is held against the mirror.

use crate::{Bound, Case, tensor};
use gpu_core::ops::{AdadeltaHyper, adadelta_step};
use gpu_core::{Device, Tensor};

pub(super) const HYPERS: [AdadeltaHyper; 2] = [
    AdadeltaHyper { lr: 1.0, rho: 0.9, eps: 1e-6, weight_decay: 0.0 },
    AdadeltaHyper { lr: 0.5, rho: 0.75, eps: 1e-2, weight_decay: 0.05 },
];

/// Three steps from means of zero; parameters first.
pub(super) fn three_steps(device: &Device, len: usize, hyper: AdadeltaHyper) -> Vec<Tensor> {
    let (w, [square_avg, acc_delta]) = (tensor(device, [len], 1), [0; 2].map(|_| Tensor::zeros(device, [len])));
    let figures = Tensor::from_slice(device, [8], &hyper.to_array());
    for step in 1..4 {
        adadelta_step(&w, &tensor(device, [len], 1 + step), &square_avg, &acc_delta, &figures);
    }
    vec![w, square_avg, acc_delta]
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for len in [1usize, 5, 1021, 300_007] {
        for hyper in HYPERS {
            let what = format!("{len} elements, {hyper:?}");
            cases.push(Case::new("adadelta_step", what, Bound::own(2e-6), move |device| three_steps(device, len, hyper)));
        }
    }
    cases
}
