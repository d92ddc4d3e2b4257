//! What is held against the mirror.

use crate::{Bound, Case, tensor};
use gpu_core::Tensor;
use gpu_core::ops::{clip_grad_norm, clip_grad_value};

/// Lengths of tensors that are clipped together: one element, several, none among them, more than one part, all parts.
pub(super) const LENGTHS: [&[usize]; 6] = [&[1], &[5, 1, 7], &[0, 3], &[1021, 4097], &[300_007], &[5_000_011]];

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for lengths in LENGTHS {
        for max_norm in [0.5, 1e9] {
            let what = format!("{lengths:?}, at most {max_norm}");
            cases.push(Case::new("clip_grad_norm", what, Bound::own(2e-6), move |device| {
                let tensors: Vec<Tensor> = lengths.iter().map(|&len| tensor(device, [len], len as u64)).collect();
                let norm = clip_grad_norm(&tensors.iter().collect::<Vec<_>>(), max_norm);
                tensors.into_iter().chain([norm]).collect()
            }));
        }
        cases.push(Case::new("clip_grad_value", format!("{lengths:?}"), Bound::Exact, move |device| {
            let tensors: Vec<Tensor> = lengths.iter().map(|&len| tensor(device, [len], len as u64)).collect();
            clip_grad_value(&tensors.iter().collect::<Vec<_>>(), 0.5);
            tensors
        }));
    }
    cases
}
