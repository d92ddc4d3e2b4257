//! `Tensor::eye`, `Tensor::arange` and `Tensor::linspace`.

pub mod benches;
pub mod cases;
#[cfg(test)]
mod tests;
pub mod wrong_calls;
