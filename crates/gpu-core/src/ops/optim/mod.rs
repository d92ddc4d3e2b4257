//! The updates of optimisers, in place over the flat parameters of a whole network.

pub(super) mod adadelta;
pub(super) mod adagrad;
pub(super) mod adam;
pub(super) mod average;
pub(super) mod clip;
pub(super) mod lion;
pub(super) mod loss_scale;
pub(super) mod muon;
pub(super) mod parameters;
pub(super) mod rmsprop;
pub(super) mod sgd;
