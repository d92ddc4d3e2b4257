//! `max_pool2d`, `avg_pool2d` and their gradients.

pub mod benches;
pub mod cases;
#[cfg(test)]
mod tests;
pub mod wrong_calls;
