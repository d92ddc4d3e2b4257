//! What is held against the mirror.

use crate::{Bound, Case, tensor};
use gpu_core::Tensor;
use gpu_core::ops::accumulate;

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for len in [1usize, 5, 8, 1021, 300_007] {
        for (scale, keep) in [(1.0, 0.0), (-1.0, 1.0), (0.25, 0.0), (0.3, 0.9)] {
            let what = format!("{len} elements, scale {scale}, keep {keep}");
            cases.push(Case::new("accumulate", what, Bound::own(2e-7), move |device| {
                // What is not kept must not show, not even as NaN: the output is poisoned then.
                let y = if keep != 0.0 { tensor(device, [len], 2) } else { Tensor::empty(device, [len]) };
                accumulate(&tensor(device, [1, len], 1), &y, scale, keep);
                vec![y]
            }));
        }
    }
    cases
}
