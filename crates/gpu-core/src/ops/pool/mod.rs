//! Pooling.

pub(super) mod adaptive_pool2d;
pub(super) mod global_pool;
pub(super) mod pool2d;
