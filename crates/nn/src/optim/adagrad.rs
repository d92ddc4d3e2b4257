//! Adagrad.

use super::{Figures, Moment, Rule, RuleOptimizer, Stretch};
use crate::autograd::Parameters;
use crate::decimal::decimal;
use gpu_core::ops::{self, AdagradHyper};

/// Adagrad: `s += g^2; w -= lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)`, where `g` has `weight_decay * w` in it. Equivalent
/// of `torch.optim.Adagrad`.
///
/// ```
/// # use gpu_core::Device;
/// # use nn::{Adagrad, Init, Layer, Linear};
/// # let net = Linear::new(1).build(&Init::seeded(&Device::Cpu, 0), [3]).unwrap();
/// let adagrad = Adagrad::new(&net, 0.01).initial_accumulator(0.1);
/// # let _ = adagrad;
/// ```
pub type Adagrad = RuleOptimizer<AdagradRule>;

/// The rule of [`Adagrad`].
#[derive(Debug, Clone, Copy)]
pub struct AdagradRule {
    lr_decay: f32,
    eps: f32,
    initial: f32,
}

impl Rule for AdagradRule {
    fn moments(&self) -> Vec<Moment> {
        vec![Moment::new("sum").initially(self.initial)]
    }
    fn hyper(&self, Figures { lr, weight_decay, step, .. }: Figures) -> [f32; 8] {
        let [lr_decay, eps] = [self.lr_decay, self.eps].map(decimal);
        AdagradHyper { lr, lr_decay, weight_decay, eps }.at_step(step)
    }
    fn launch(&self, on: &Stretch<'_>) {
        ops::adagrad_step(&on.params, &on.grads, &on.moments[0], on.hyper);
    }
}

impl Adagrad {
    /// For the parameters of `net` that are trainable and not frozen, which move into one tensor. No decay of the rate, eps 1e-10, sums from 0.
    ///
    /// # Panics
    /// If there are none.
    #[track_caller]
    pub fn new(net: &dyn Parameters, lr: f32) -> Self {
        Self::of_rule(net, lr, AdagradRule { lr_decay: 0.0, eps: 1e-10, initial: 0.0 })
    }

    /// By how much of itself the divisor of the rate grows with each step.
    pub fn lr_decay(self, lr_decay: f32) -> Self {
        self.with(|r| r.lr_decay = lr_decay)
    }
    /// What is added to the root.
    pub fn eps(self, eps: f32) -> Self {
        self.with(|r| r.eps = eps)
    }
    /// What the sums of squares begin with. Equivalent of `initial_accumulator_value`.
    ///
    /// # Panics
    /// After the first step.
    #[track_caller]
    pub fn initial_accumulator(self, initial: f32) -> Self {
        self.with(|r| r.initial = initial)
    }
}
