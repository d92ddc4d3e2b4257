//! What is held against the mirror.

use crate::{Bound, Case, input_integers, tensor};
use gpu_core::ops::{LionHyper, lion_step};
use gpu_core::{Device, Tensor};

/// Betas whose products with small integers are exact, zeros among them, so that no rounding turns a sign.
pub(super) const EXACT: LionHyper = LionHyper { lr: 0.125, beta1: 0.5, beta2: 0.75, weight_decay: 0.25 };

/// Three steps; parameters first.
pub(super) fn three_steps(device: &Device, len: usize, hyper: LionHyper) -> Vec<Tensor> {
    let (w, m) = (tensor(device, [len], 1), Tensor::zeros(device, [len]));
    let figures = Tensor::from_slice(device, [8], &hyper.to_array());
    for step in 0..3 {
        lion_step(&w, &Tensor::from_slice(device, [len], &input_integers(device, len, 2 + step)), &m, &figures);
    }
    vec![w, m]
}

pub fn cases() -> Vec<Case> {
    let row = |len: usize| {
        let what = format!("{len} elements, {EXACT:?}");
        Case::new("lion_step", what, Bound::own(5e-7), move |device| three_steps(device, len, EXACT))
    };
    [1, 5, 1021, 300_007].into_iter().map(row).collect()
}
