//! `peak_multiply_add`.

pub mod benches;
pub mod cases;
pub mod wrong_calls;
