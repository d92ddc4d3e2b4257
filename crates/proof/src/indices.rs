//! Index lists for the operators that gather and scatter.

use crate::values;

/// Indices under `size` that are a pure function of the seed; small ones occur more often.
pub(crate) fn indices(len: usize, size: usize, seed: u64) -> Vec<u32> {
    let of = |v: f32| ((v * v * size as f32) as u32).min(size as u32 - 1);
    values(len, seed).into_iter().map(of).collect()
}
