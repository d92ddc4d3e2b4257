//! Each form of a kernel by itself, for the proof and the bench: a device takes one form for a shape, another device may take any
//! other.

pub use super::loss::cross_entropy::forms as cross_entropy;
pub use super::norm::row_norm::forms as row_norm;
