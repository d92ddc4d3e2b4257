//! `batch_norm` in training and in evaluation, alone and with what follows it in the same kernels, and `demean_norm`.

pub mod benches;
pub mod cases;
#[cfg(test)]
mod tests;
pub mod wrong_calls;
