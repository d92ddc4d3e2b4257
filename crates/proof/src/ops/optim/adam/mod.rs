//! `adamw_step` and `adamw_step_amsgrad`.

pub mod benches;
pub mod cases;
#[cfg(test)]
mod tests;
pub mod wrong_calls;
