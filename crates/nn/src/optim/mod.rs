//! Optimisers: all parameters of a network in one arena, updated by one kernel a group.
//!
//! [`Sgd`], [`AdamW`] (and Adam), [`RmsProp`], [`Adagrad`], [`Lion`] and [`Muon`] are [`RuleOptimizer`]s: each has groups of
//! parameters, clipping, averages of the weights, and checkpoints. Figures lie in a tensor that
//! [`begin_step`](Optimizer::begin_step) writes, so that a captured step follows the learning rate. An optimiser is a handle: its
//! clones, and the steps captured with it, share its state.

mod adagrad;
mod adamw;
mod arena;
mod averages;
mod core;
mod flat;
mod group;
mod lion;
mod muon;
mod rmsprop;
mod rule;
mod sgd;
#[cfg(test)]
mod tests;

pub use adagrad::{Adagrad, AdagradRule};
pub use adamw::{AdamRule, AdamW};
pub use flat::RuleOptimizer;
pub use group::ParamGroup;
pub use lion::{Lion, LionRule};
pub use muon::{Muon, MuonRate, MuonRule};
pub use rmsprop::{RmsProp, RmsPropRule};
pub use rule::{Figures, Moment, Rule, Stretch};
pub use sgd::{Sgd, SgdRule};

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

    /// The kernels of a step: [`gather`](Self::gather) and [`update`](Self::update). A parameter that the loss does not depend on
    /// counts as one whose gradient is zero.
    #[track_caller]
    fn apply(&self, gradients: &Gradients) {
        self.gather(gradients, 1.0, false);
        self.update();
    }

    /// Takes gradients times `share`, or adds them to those that it has taken since the last [`update`](Self::update): the
    /// kernels that a micro-batch runs.
    #[track_caller]
    fn gather(&self, gradients: &Gradients, share: f32, add: bool);

    /// The kernels that change the parameters by the gradients that were taken.
    #[track_caller]
    fn update(&self);

    /// A kernel that makes all gradients zero, so that more can be added to them.
    fn clear_gradients(&self);

    /// Exchanges the parameters with their moving average, bit for bit, where the optimiser keeps one and has done a step; whether it
    /// did. See [`with_average`], which swaps back.
    fn swap_average(&self) -> bool {
        false
    }

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

/// Runs `f` with the moving average of the parameters in the network, and swaps the parameters back afterwards, on a panic too.
/// Where the optimiser keeps no average, it runs `f` with the parameters as they are.
///
/// ```
/// # use gpu_core::{Device, Tensor};
/// # use nn::{Init, Layer, Linear, Optimizer, Sgd, Tape, Var, optim};
/// # let net = Linear::new(1).build(&Init::seeded(&Device::Cpu, 0), [3]).unwrap();
/// let sgd = Sgd::new(&net, 0.1).ema(0.5);
/// let x = Tensor::full(&Device::Cpu, [1, 3], 1.0);
/// for _ in 0..3 {
///     sgd.step(&net.forward(&Tape::new(&Device::Cpu).input(&x)).sum().backward());
/// }
/// let output = || net.forward(&Var::constant(&x)).value().item();
/// let (last, averaged) = (output()?, optim::with_average(&sgd, output)?);
/// assert!(averaged > last, "the average is behind");
/// assert_eq!(output()?, last);
/// # Ok::<(), gpu_core::Error>(())
/// ```
pub fn with_average<T>(optimizer: &dyn Optimizer, f: impl FnOnce() -> T) -> T {
    struct Back<'a>(&'a dyn Optimizer);
    impl Drop for Back<'_> {
        fn drop(&mut self) {
            self.0.swap_average();
        }
    }
    let _back = optimizer.swap_average().then(|| Back(optimizer));
    f()
}
