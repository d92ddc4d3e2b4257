//! Optimisers: all parameters of a network in one arena, updated by one kernel a group.
//!
//! [`Sgd`], [`Adam`], [`AdamW`], [`RmsProp`], [`Adagrad`], [`Adadelta`], [`Lion`] and [`Muon`] are [`RuleOptimizer`]s: each has groups of
//! parameters, clipping, averages of the weights, and checkpoints. The figures of a step lie in a tensor that is written before it, so
//! that a captured step follows the learning rate. An optimiser is a handle: its clones, and the steps captured with it, share its
//! state.

mod adadelta;
mod adagrad;
mod adamw;
mod arena;
mod averages;
mod group;
mod lion;
mod loss_scaling;
mod muon;
mod optimizer;
mod rmsprop;
mod rule;
mod rule_optimizer;
mod sgd;
mod state;
#[cfg(test)]
mod tests;
pub(crate) mod update;

pub use adadelta::{Adadelta, AdadeltaRule};
pub use adagrad::{Adagrad, AdagradRule};
pub use adamw::{Adam, AdamRule, AdamW};
pub use group::ParamGroup;
pub use lion::{Lion, LionRule};
pub use loss_scaling::USUAL_LOSS_SCALE;
pub use muon::{Muon, MuonRate, MuonRule};
pub use optimizer::{Optimizer, with_average};
pub use rmsprop::{RmsProp, RmsPropRule};
pub use rule::{Figures, Moment, Rule, Stretch};
pub use rule_optimizer::RuleOptimizer;
pub use sgd::{Sgd, SgdRule};
