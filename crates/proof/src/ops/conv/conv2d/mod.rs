//! `conv2d` and `conv_transpose2d`, with their gradients.

pub mod benches;
pub mod cases;
#[cfg(test)]
mod tests;
pub mod wrong_calls;
