//! The command `wgrad` from outside, on runs of seconds, and the golden files on both devices.

mod bad_input;
mod commands;
mod device_loss;
mod fine_tuning;
mod golden;
#[cfg(unix)]
mod kills;
#[cfg(unix)]
mod off_memory;
mod optimizers;
mod pictures;
mod predict;
#[cfg(unix)]
mod refusals;
mod repeat;
mod same_bits;
pub mod support;
mod tta;
mod validation;
mod verify;
