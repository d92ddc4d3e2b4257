//! What is held against the mirror.

use crate::{Bound, Case, tensor};
use gpu_core::Tensor;
use gpu_core::ops::{ema_step, exchange, lookahead_step};

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for len in [1usize, 5, 1021, 300_007] {
        for far in [0.0f32, 0.1, 1.0] {
            let what = format!("{len} elements, {far} of the way");
            cases.push(Case::new("ema_step", what.clone(), Bound::own(3e-7), move |device| {
                let (w, ema) = (tensor(device, [len], 1), tensor(device, [len], 2));
                ema_step(&w, &ema, &Tensor::scalar(device, far));
                vec![ema]
            }));
            cases.push(Case::new("lookahead_step", what, Bound::own(3e-7), move |device| {
                let (w, slow) = (tensor(device, [len], 1), tensor(device, [len], 2));
                lookahead_step(&w, &slow, &Tensor::scalar(device, far));
                vec![w, slow]
            }));
        }
        cases.push(Case::new("exchange", format!("{len} elements"), Bound::Exact, move |device| {
            let (a, b) = (tensor(device, [len], 1), tensor(device, [len], 2));
            exchange(&a, &b);
            vec![a, b]
        }));
    }
    cases
}
