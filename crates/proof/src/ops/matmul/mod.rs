//! `matmul`, `matmul_ta` and `matmul_tb`.

pub mod benches;
pub mod cases;
#[cfg(test)]
mod tests;
pub mod wrong_calls;
