//! What all optimisers can do.

use super::update::Update;
use crate::autograd::{Gradients, Var};
use crate::state_dict::{Array, Mismatch};
use gpu_core::{Device, Tensor};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What moves parameters against their gradients: a [`RuleOptimizer`](super::RuleOptimizer). One's own optimiser is a
/// [`Rule`](super::Rule) for it.
///
/// In a captured [`Step`](crate::Step), [`StepPass::update`](crate::StepPass::update) takes the place of [`step`](Self::step).
pub trait Optimizer: Update {
    /// The learning rate of the next step.
    fn lr(&self) -> f32;

    /// Sets the learning rate of the next step, of captured ones too.
    fn set_lr(&self, lr: f32);

    /// How many steps were begun.
    fn steps(&self) -> u32;

    /// `loss` times the scale of [`loss_scaling`](super::RuleOptimizer::loss_scaling), by whose gradients [`step`](Self::step) is to be
    /// called; `loss` itself where there is none. Equivalent of `torch.amp.GradScaler.scale`.
    #[track_caller]
    fn scaled(&self, loss: &Var) -> Var;

    /// The loss scale, the steps since it changed, and the steps that were taken back, as three f32 on the device; where
    /// [`loss_scaling`](super::RuleOptimizer::loss_scaling) is set.
    fn loss_scale(&self) -> Option<Tensor>;

    /// Updates the parameters by `gradients`. A parameter that the loss does not depend on counts as one whose gradient is zero; a
    /// frozen one stays as it is. Equivalent of `torch.optim.Optimizer.step`.
    ///
    /// # Panics
    /// If a second optimiser was made for the same network since: the parameters have moved to it. Inside a capture, where every replay
    /// would repeat the figures of one step.
    #[track_caller]
    fn step(&self, gradients: &Gradients) {
        assert!(
            !self.device().is_capturing(),
            "optimizer: step() in a capture would repeat one step's figures in every replay; record a Step and call update on its pass"
        );
        self.begin_step();
        self.gather(gradients, 1.0);
        self.update();
    }

    /// Exchanges the parameters with their moving average, bit for bit, where the optimiser keeps one and has done a step; whether it
    /// did. See [`with_average`], which swaps back.
    fn swap_average(&self) -> bool;

    /// What a checkpoint must hold for training to go on as if it had never stopped: `momentum.0.weight`, ..., `step`.
    fn state(&self) -> Vec<(String, Tensor)>;

    /// Takes such a state.
    ///
    /// # Errors
    /// With all that is missing, unexpected or of another shape; nothing is loaded then.
    fn load_state(&self, state: &BTreeMap<String, Array>) -> Result<(), Mismatch>;

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
