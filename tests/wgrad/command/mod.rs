//! The command `wgrad` from outside, on runs of seconds, and the golden files on both devices.

mod bad_input;
mod by_hand;
mod commands;
mod device_loss;
mod fine_tuning;
mod golden;
#[cfg(unix)]
mod kills;
mod labels;
mod looked_up;
mod lr_find;
mod masks;
#[cfg(unix)]
mod off_memory;
mod optimizers;
mod peer_threads;
#[cfg(target_os = "linux")]
mod peers;
mod pictures;
mod predict;
#[cfg(unix)]
mod refusals;
mod repeat;
mod reports;
mod same_bits;
pub mod support;
mod sweeps;
mod tables;
mod tensorboard;
mod trace;
mod tta;
#[cfg(unix)]
mod tui;
mod validation;
mod verify;
