//! What is moved by indices, by order, or by strides.

pub(super) mod gather;
pub(super) mod scatter;
pub(super) mod sort;
pub(super) mod strided;
