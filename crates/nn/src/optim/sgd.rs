//! Stochastic gradient descent.

use super::{Figures, Moment, Rule, RuleOptimizer, Stretch};
use crate::autograd::Parameters;
use crate::decimal::decimal;
use gpu_core::ops::{self, SgdHyper};

/// Stochastic gradient descent with momentum: `g += weight_decay * w; v = momentum * v + (1 - dampening) * g; w -= lr * v`.
/// Equivalent of `torch.optim.SGD`.
pub type Sgd = RuleOptimizer<SgdRule>;

/// The rule of [`Sgd`].
#[derive(Debug, Clone, Copy, Default)]
pub struct SgdRule {
    momentum: f32,
    dampening: f32,
    nesterov: bool,
}

impl Rule for SgdRule {
    fn moments(&self) -> Vec<Moment> {
        vec![Moment::new("momentum")]
    }
    fn hyper(&self, Figures { lr, weight_decay, step, .. }: Figures) -> [f32; 8] {
        let [momentum, dampening] = [self.momentum, self.dampening].map(decimal);
        SgdHyper { lr, momentum, dampening, weight_decay, nesterov: self.nesterov, first_step: step == 1 }.to_array()
    }
    fn launch(&self, on: &Stretch<'_>) {
        ops::sgd_step(&on.params, &on.grads, &on.moments[0], on.hyper);
    }
}

impl Sgd {
    /// For the parameters of `net` that are trainable and not frozen, which move into one tensor.
    ///
    /// # Panics
    /// If there are none.
    #[track_caller]
    pub fn new(net: &dyn Parameters, lr: f32) -> Self {
        Self::of_rule(net, lr, SgdRule::default())
    }

    /// How much of the last step's direction is kept.
    pub fn momentum(self, momentum: f32) -> Self {
        self.with(|r| r.momentum = momentum)
    }
    /// How much of the gradient is held back from the momentum.
    pub fn dampening(self, dampening: f32) -> Self {
        self.with(|r| r.dampening = dampening)
    }
    /// Looks ahead along the momentum.
    pub fn nesterov(self, nesterov: bool) -> Self {
        self.with(|r| r.nesterov = nesterov)
    }
}
