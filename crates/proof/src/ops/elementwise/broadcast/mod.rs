//! Element by element with broadcasting: arithmetic, comparisons, choices, and their gradients.

pub mod benches;
pub mod cases;
#[cfg(test)]
mod tests;
pub mod wrong_calls;
