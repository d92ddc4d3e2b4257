//! `ema_step`, `lookahead_step` and `exchange`.

pub mod benches;
pub mod cases;
#[cfg(test)]
mod tests;
pub mod wrong_calls;
