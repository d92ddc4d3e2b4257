//! Adam, with the weight decay beside the gradient or in it.

use super::Optimizer;
use super::core::{Core, Hyper};
use crate::checkpoint::{Array, CheckpointError};
use crate::decimal::decimal;
use crate::module::Module;
use crate::tape::Gradients;
use gpu_core::ops::{self, AdamHyper};
use gpu_core::{Device, Tensor};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Adam with decoupled weight decay. Equivalent of `torch.optim.AdamW`, but for the default weight decay, which is zero.
#[derive(Clone)]
pub struct AdamW {
    core: Arc<Core>,
    options: Arc<Mutex<Options>>,
}

#[derive(Clone, Copy)]
struct Options {
    beta1: f32,
    beta2: f32,
    eps: f32,
    weight_decay: f32,
    decoupled: bool,
}

impl Options {
    fn hyper(self, lr: f32, step: u32, decays: bool) -> Hyper {
        let Self { beta1, beta2, eps, weight_decay, decoupled } = self;
        let [lr, beta1, beta2, eps, weight_decay] = [lr, beta1, beta2, eps, weight_decay].map(decimal);
        let weight_decay = if decays { weight_decay } else { 0.0 };
        AdamHyper { lr, beta1, beta2, eps, weight_decay, decoupled }.at_step(step.into())
    }
}

impl AdamW {
    /// For the trainable parameters of `net`, which move into one tensor. Betas 0.9 and 0.999, eps 1e-8, no weight decay.
    ///
    /// # Panics
    /// If there are none.
    #[track_caller]
    pub fn new(net: &dyn Module, lr: f32) -> Self {
        let options = Options { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0, decoupled: true };
        Self { core: Arc::new(Core::new(net, lr, &["exp_avg", "exp_avg_sq"])), options: Arc::new(Mutex::new(options)) }
    }

    fn with(self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.options.lock());
        self
    }

    /// How much of the mean of the gradients, and of their squares, is kept.
    pub fn betas(self, beta1: f32, beta2: f32) -> Self {
        self.with(|o| (o.beta1, o.beta2) = (beta1, beta2))
    }
    /// What is added to the root.
    pub fn eps(self, eps: f32) -> Self {
        self.with(|o| o.eps = eps)
    }
    /// Draws the weights to zero by this much of the learning rate.
    pub fn weight_decay(self, weight_decay: f32) -> Self {
        self.with(|o| o.weight_decay = weight_decay)
    }
    /// The weight decay as a part of the gradient: plain Adam. Equivalent of `torch.optim.Adam`.
    pub fn coupled(self) -> Self {
        self.with(|o| o.decoupled = false)
    }
    /// No weight decay for biases and normalisations.
    pub fn decay_weights_only(self) -> Self {
        self.core.split();
        self
    }
}

impl Optimizer for AdamW {
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
        self.core.apply(gradients, |w, dw, moments, hyper| ops::adamw_step(w, dw, &moments[0], &moments[1], hyper));
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
