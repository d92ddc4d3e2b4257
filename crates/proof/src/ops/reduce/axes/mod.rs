//! Reductions over axes, `sum` to `logsumexp`, and of all elements.

pub mod benches;
pub mod cases;
#[cfg(test)]
mod tests;
pub mod wrong_calls;
