//! Optimisers: all parameters of a network in one arena, updated by one kernel.
//!
//! Hyper-parameters lie in a tensor of eight numbers that [`begin_step`](Optimizer::begin_step) writes, so that a captured step
//! follows the learning rate. An optimiser is a handle: its clones, and the steps captured with it, share its state.

mod adamw;
mod arena;
mod core;
mod sgd;
#[cfg(test)]
mod tests;

pub use adamw::AdamW;
pub use sgd::Sgd;

use crate::checkpoint::{Array, CheckpointError};
use crate::tape::Gradients;
use gpu_core::{Device, Tensor};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What moves parameters against their gradients.
pub trait Optimizer: Send + Sync {
    /// The learning rate of the next step.
    fn lr(&self) -> f32;

    /// Sets the learning rate of the next step, of captured ones too.
    fn set_lr(&self, lr: f32);

    /// How many steps were begun.
    fn steps(&self) -> u32;

    /// One step: [`begin_step`](Self::begin_step) and [`apply`](Self::apply).
    ///
    /// # Panics
    /// If a second optimiser was made for the same network since: the parameters have moved to it.
    #[track_caller]
    fn step(&self, gradients: &Gradients) {
        self.begin_step();
        self.apply(gradients);
    }

    /// Counts a step and writes its hyper-parameters to the device: before each replay of a captured [`apply`](Self::apply).
    ///
    /// # Panics
    /// As [`step`](Self::step).
    #[track_caller]
    fn begin_step(&self);

    /// The kernels of a step. A parameter that the loss does not depend on counts as one whose gradient is zero.
    #[track_caller]
    fn apply(&self, gradients: &Gradients);

    /// What a checkpoint must hold for training to go on as if it had never stopped: `momentum.0.weight`, ..., `step`.
    fn state(&self) -> Vec<(String, Tensor)>;

    /// Takes such a state.
    ///
    /// # Errors
    /// With all that is missing, unexpected or of another shape; nothing is loaded then.
    fn load_state(&self, state: &BTreeMap<String, Array>) -> Result<(), CheckpointError>;

    /// Where the parameters lie.
    fn device(&self) -> &Device;

    /// A clone of the handle.
    fn handle(&self) -> Arc<dyn Optimizer>;
}
