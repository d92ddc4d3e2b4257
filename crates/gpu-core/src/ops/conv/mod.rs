//! Convolutions.

pub(super) mod conv2d;
