//! `cumsum` and `cumsum_bwd_x`.

pub mod benches;
pub mod cases;
#[cfg(test)]
mod tests;
pub mod wrong_calls;
