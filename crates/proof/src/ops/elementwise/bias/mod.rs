//! `add_bias` and `add_bias_bwd_b`.

pub mod benches;
pub mod cases;
#[cfg(test)]
mod tests;
pub mod wrong_calls;
