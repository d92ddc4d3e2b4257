//! What only moves elements: `permute`, `slice`, `pad`, `concat` and their like.

pub mod benches;
pub mod cases;
#[cfg(test)]
mod tests;
pub mod wrong_calls;
