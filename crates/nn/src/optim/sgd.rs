//! Stochastic gradient descent.

use super::Optimizer;
use super::core::{Core, Hyper};
use crate::checkpoint::{Array, CheckpointError};
use crate::decimal::decimal;
use crate::module::Module;
use crate::tape::Gradients;
use gpu_core::ops::{self, SgdHyper};
use gpu_core::{Device, Tensor};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Stochastic gradient descent with momentum: `g += weight_decay * w; v = momentum * v + (1 - dampening) * g; w -= lr * v`.
/// Equivalent of `torch.optim.SGD`.
#[derive(Clone)]
pub struct Sgd {
    core: Arc<Core>,
    options: Arc<Mutex<Options>>,
}

#[derive(Clone, Copy, Default)]
struct Options {
    momentum: f32,
    dampening: f32,
    weight_decay: f32,
    nesterov: bool,
}

impl Options {
    fn hyper(self, lr: f32, step: u32, decays: bool) -> Hyper {
        let Self { momentum, dampening, weight_decay, nesterov } = self;
        let [lr, momentum, dampening, weight_decay] = [lr, momentum, dampening, weight_decay].map(decimal);
        let weight_decay = if decays { weight_decay } else { 0.0 };
        SgdHyper { lr, momentum, dampening, weight_decay, nesterov, first_step: step == 1 }.to_array()
    }
}

impl Sgd {
    /// For the trainable parameters of `net`, which move into one tensor.
    ///
    /// # Panics
    /// If there are none.
    #[track_caller]
    pub fn new(net: &dyn Module, lr: f32) -> Self {
        Self { core: Arc::new(Core::new(net, lr, &["momentum"])), options: Arc::default() }
    }

    fn with(self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.options.lock());
        self
    }

    /// How much of the last step's direction is kept.
    pub fn momentum(self, momentum: f32) -> Self {
        self.with(|o| o.momentum = momentum)
    }
    /// How much of the gradient is held back from the momentum.
    pub fn dampening(self, dampening: f32) -> Self {
        self.with(|o| o.dampening = dampening)
    }
    /// Looks ahead along the momentum.
    pub fn nesterov(self, nesterov: bool) -> Self {
        self.with(|o| o.nesterov = nesterov)
    }
    /// Adds this much of the weights to the gradient.
    pub fn weight_decay(self, weight_decay: f32) -> Self {
        self.with(|o| o.weight_decay = weight_decay)
    }
    /// No weight decay for biases and normalisations.
    pub fn decay_weights_only(self) -> Self {
        self.core.split();
        self
    }
}

impl Optimizer for Sgd {
    fn lr(&self) -> f32 {
        self.core.lr()
    }
    fn set_lr(&self, lr: f32) {
        self.core.set_lr(lr);
    }
    fn steps(&self) -> u32 {
        self.core.steps()
    }
    #[track_caller]
    fn begin_step(&self) {
        let options = *self.options.lock();
        self.core.begin_step(|lr, step, decays| options.hyper(lr, step, decays));
    }
    #[track_caller]
    fn apply(&self, gradients: &Gradients) {
        self.core.apply(gradients, |w, dw, moments, hyper| ops::sgd_step(w, dw, &moments[0], hyper));
    }
    fn state(&self) -> Vec<(String, Tensor)> {
        self.core.state()
    }
    fn load_state(&self, state: &BTreeMap<String, Array>) -> Result<(), CheckpointError> {
        self.core.load_state(state)
    }
    fn device(&self) -> &Device {
        self.core.device()
    }
    fn handle(&self) -> Arc<dyn Optimizer> {
        Arc::new(self.clone())
    }
}
