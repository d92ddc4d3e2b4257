//! `total_norm`, `clip_with_norm`, `clip_grad_norm` and `clip_grad_value`.

pub mod benches;
pub mod cases;
#[cfg(test)]
mod tests;
pub mod wrong_calls;
