//! `muon_momentum`, `muon_normalise`, `muon_combine` and `muon_step`.

pub mod benches;
pub mod cases;
#[cfg(test)]
mod tests;
pub mod wrong_calls;
