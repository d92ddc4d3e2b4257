//! `Tensor::full`, `Tensor::fill`, and the fault that the proof plants.

pub mod benches;
pub mod cases;
#[cfg(test)]
mod tests;
pub mod wrong_calls;
