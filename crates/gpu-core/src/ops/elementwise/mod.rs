//! Element by element, and tensors that are made from numbers.

pub(super) mod accumulate;
pub(super) mod bias;
pub(super) mod broadcast;
pub(super) mod cast;
pub(super) mod create;
pub(super) mod fill;
pub(super) mod join;
pub(super) mod peak;
pub(super) mod unary;
