//! Dropout of elements and of channels, and factors from a distribution.

pub mod benches;
pub mod cases;
#[cfg(test)]
mod tests;
pub mod wrong_calls;
