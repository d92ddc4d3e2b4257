//! What is held against the mirror.

use crate::{Bound, Case};
use gpu_core::ops::internals::spoil;
use gpu_core::{DType, Tensor, f16};

pub fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = [1, 257, 1_000_003]
        .into_iter()
        .map(|len| Case::new("fill", format!("{len} elements"), Bound::Exact, move |device| vec![Tensor::full(device, [len], 2.5)]))
        .collect();
    cases.push(Case::new("fill", "other types".to_owned(), Bound::Exact, |device| {
        let half = f16::from_f32(2.5);
        let mut filled = vec![Tensor::full_of(device, [5], 7u8), Tensor::full_of(device, [7], true)];
        filled.extend([Tensor::full_of(device, [7], half), Tensor::full_of(device, [9], -3i32)]);
        filled.push(Tensor::zeros_of(device, [9], DType::U8));
        filled
    }));
    cases.push(Case::new("spoil", "middle of 5".to_owned(), Bound::Exact, |device| {
        let y = Tensor::full(device, [5], -3.0);
        spoil(&y);
        vec![y]
    }));
    cases
}
