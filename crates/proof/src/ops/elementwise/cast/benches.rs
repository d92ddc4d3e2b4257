//! What is timed.

use crate::{Bench, tensor};
use gpu_core::DType;
use gpu_core::ops::cast;

pub fn benches() -> Vec<Bench> {
    let of = |(source, to)| {
        Bench::new("cast", format!("16777216 elements, {source} to {to}"), 0, move |device| {
            let x = cast(&tensor(device, [1 << 24], 1), source);
            move || vec![cast(&x, to)]
        })
    };
    let pairs = [(DType::F32, DType::F16), (DType::F16, DType::F32), (DType::U8, DType::F32), (DType::I32, DType::F32)];
    pairs.into_iter().chain([(DType::U8, DType::F16)]).map(of).collect()
}
