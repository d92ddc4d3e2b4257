//! Reductions and running sums.

pub(super) mod axes;
pub(super) mod cumsum;
