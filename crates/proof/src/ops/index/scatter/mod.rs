//! `scatter_add`, `index_add`, and the gradients of `gather` and `index_select`.

pub mod benches;
pub mod cases;
#[cfg(test)]
mod tests;
pub mod wrong_calls;
