//! What is held against the mirror.

use crate::{Bound, Case, tensor, tensor_of};
use gpu_core::Tensor;
use gpu_core::ops::{clip_grad_norm, clip_grad_value};

/// Lengths of tensors that are clipped together: one element, several, none among them, more than one part, all parts.
pub(super) const LENGTHS: [&[usize]; 6] = [&[1], &[5, 1, 7], &[0, 3], &[1021, 4097], &[300_007], &[5_000_011]];

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for lengths in LENGTHS {
        // The last: a norm that what is added to it is not lost in.
        for (largest, max_norm) in [(1.0, 0.5), (1.0, 1e9), (1e-6, 1e-7)] {
            let what = format!("{lengths:?}, values below {largest}, at most {max_norm}");
            cases.push(Case::new("clip_grad_norm", what, Bound::own(2e-6), move |device| {
                let values = |&len: &usize| tensor_of(device, [len], len as u64, |v| largest * v);
                let tensors: Vec<Tensor> = lengths.iter().map(values).collect();
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
