//! What is held against the mirror.

use crate::{Bound, Case, tensor};
use gpu_core::Tensor;
use gpu_core::ops::join;

/// Numbers on both sides of the smallest normal one, of both signs, with zeros and sums that fall below it.
pub(super) const SMALL: [f32; 16] = {
    const LEAST: f32 = f32::MIN_POSITIVE;
    [
        0.0,
        -0.0,
        LEAST,
        -LEAST,
        LEAST / 2.0,
        -LEAST / 2.0,
        1e-45,
        -1e-45,
        1.5 * LEAST,
        -1.25 * LEAST,
        3.0 * LEAST,
        -3.0 * LEAST,
        1.0,
        -1.0,
        1.0e-30,
        f32::MAX / 4.0,
    ]
};

pub fn cases() -> Vec<Case> {
    let drawn = [1usize, 5, 8, 1021, 300_007].map(|len| {
        Case::new("join", format!("{len} elements"), Bound::Exact, move |device| {
            let y = tensor(device, [len], 2);
            join(&tensor(device, [1, len], 1), &y);
            vec![y]
        })
    });
    let small = Case::new("join", "256 sums about the smallest normal number".to_owned(), Bound::Exact, |device| {
        let pair = |which: fn(usize) -> usize| (0..256).map(|i| SMALL[which(i)]).collect::<Vec<_>>();
        let y = Tensor::from_slice(device, [256], &pair(|i| i % 16));
        join(&Tensor::from_slice(device, [256], &pair(|i| i / 16)), &y);
        vec![y]
    });
    drawn.into_iter().chain([small]).collect()
}
