//! Random numbers, and what is driven by them.

pub(super) mod augment;
pub(super) mod distribution;
pub(super) mod dropout;
