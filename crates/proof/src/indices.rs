//! What picks and sums by index are held with.

use crate::values;

/// Indices under `size` that are a pure function of the seed, some of them often.
pub(crate) fn indices(len: usize, size: usize, seed: u64) -> Vec<u32> {
    let of = |v: f32| ((v * v * size as f32) as u32).min(size as u32 - 1);
    values(len, seed).into_iter().map(of).collect()
}
