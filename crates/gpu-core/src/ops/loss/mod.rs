//! Losses.

pub(super) mod cross_entropy;
pub(super) mod pointwise;
pub(super) mod reduction;
