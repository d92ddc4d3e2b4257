//! Functions of one element, their gradients, and tests of floats.

pub mod benches;
pub mod cases;
#[cfg(test)]
mod tests;
pub mod wrong_calls;
