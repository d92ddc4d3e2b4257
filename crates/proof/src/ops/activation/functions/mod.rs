//! The activation functions and their gradients: two kernels serve them all.

pub mod benches;
pub mod cases;
#[cfg(test)]
mod tests;
pub mod wrong_calls;
