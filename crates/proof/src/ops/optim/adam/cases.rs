//! What is held against the mirror.

use crate::{Bound, Case, tensor, tensor_of};
use gpu_core::ops::{AdamHyper, adamw_step, adamw_step_amsgrad};
use gpu_core::{Device, Tensor};

/// Three steps, whose gradients shrink, so that the largest second moment is not the last one.
pub(super) fn three_steps(device: &Device, len: usize, hyper: AdamHyper, amsgrad: bool) -> Vec<Tensor> {
    let w = tensor(device, [len], 1);
    let [m, v, max_v] = [0; 3].map(|_| Tensor::zeros(device, [len]));
    for step in 1..4 {
        let figures = Tensor::from_slice(device, [8], &hyper.at_step(step));
        let grads = tensor_of(device, [len], 1 + step, |g| g / step.pow(3) as f32);
        match amsgrad {
            true => adamw_step_amsgrad(&w, &grads, &m, &v, &max_v, &figures),
            false => adamw_step(&w, &grads, &m, &v, &figures),
        }
    }
    vec![w, m, v, max_v]
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for len in [1usize, 5, 1021, 300_007] {
        for (decoupled, amsgrad) in [(true, false), (false, false), (true, true), (false, true)] {
            let name = if amsgrad { "adamw_step_amsgrad" } else { "adamw_step" };
            let what = format!("{len} elements, decoupled {decoupled}");
            // A short memory of the squares, so that AMSGrad's largest is not the newest.
            let hyper = AdamHyper { lr: 0.1, beta2: if amsgrad { 0.6 } else { 0.999 }, decoupled, ..AdamHyper::default() };
            cases.push(Case::new(name, what, Bound::own(5e-6), move |device| three_steps(device, len, hyper, amsgrad)));
        }
    }
    cases
}
