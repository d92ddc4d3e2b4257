//! `layer_norm`, `group_norm`, `rms_norm`, their gradients, and `instance_norm_running`.

pub mod benches;
pub mod cases;
#[cfg(test)]
mod tests;
pub mod wrong_calls;
