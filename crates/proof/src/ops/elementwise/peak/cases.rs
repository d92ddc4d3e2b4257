//! What is held against the mirror.

use crate::{Bound, Case};
use gpu_core::ops::peak_multiply_add;

pub fn cases() -> Vec<Case> {
    // Halves and ones are exact for so few rounds.
    let sizes = [(1, 1), (257, 5), (16_777_217, 1)];
    let of = |(len, rounds)| {
        Case::new("peak_multiply_add", format!("{len} x {rounds}"), Bound::own(1e-6), move |device| {
            vec![peak_multiply_add(device, len, rounds)]
        })
    };
    sizes.into_iter().map(of).collect()
}
