//! Proof on the user's own adapter: every kernel against its mirror, then whole training steps on both devices.

mod kernels;
mod network;

pub use crate::golden::Row;
pub use kernels::{kernels, self_test};
pub use network::network;
