//! What is held against the mirror.

use crate::{Bound, Case, tensor};
use gpu_core::Tensor;
use gpu_core::ops::{SgdHyper, sgd_step};

/// Plain, momentum, momentum with dampening, Nesterov; with and without decay.
pub(super) const HYPERS: &[SgdHyper] = &[
    SgdHyper { lr: 0.1, momentum: 0.0, dampening: 0.0, weight_decay: 0.0, nesterov: false, first_step: true },
    SgdHyper { lr: 0.1, momentum: 0.0, dampening: 0.5, weight_decay: 0.01, nesterov: false, first_step: true },
    SgdHyper { lr: 0.1, momentum: 0.9, dampening: 0.0, weight_decay: 0.01, nesterov: false, first_step: true },
    SgdHyper { lr: 0.1, momentum: 0.9, dampening: 0.3, weight_decay: 0.0, nesterov: false, first_step: true },
    SgdHyper { lr: 0.1, momentum: 0.9, dampening: 0.0, weight_decay: 0.01, nesterov: true, first_step: true },
];

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for len in [1usize, 5, 1021, 300_007] {
        for &hyper in HYPERS {
            cases.push(Case::new("sgd_step", format!("{len} elements, {hyper:?}"), Bound::own(1e-6), move |device| {
                let (w, buf) = (tensor(device, [len], 1), tensor(device, [len], 2));
                for step in 0..3 {
                    let hyper = SgdHyper { first_step: step == 0, ..hyper };
                    let hyper = Tensor::from_slice(device, [8], &hyper.to_array());
                    sgd_step(&w, &tensor(device, [len], 3 + step), &buf, &hyper);
                }
                vec![w, buf]
            }));
        }
    }
    cases
}
