//! Normalisations.

pub(super) mod batch_norm;
pub(super) mod row_norm;
