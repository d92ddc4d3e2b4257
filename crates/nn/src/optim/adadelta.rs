//! Adadelta.

use super::{Figures, Moment, Rule, RuleOptimizer, Stretch};
use crate::autograd::Parameters;
use crate::decimal::decimal;
use gpu_core::ops::{self, AdadeltaHyper};

/// Adadelta: `s = rho * s + (1 - rho) * g^2; d = sqrt(a + eps) / sqrt(s + eps) * g; a = rho * a + (1 - rho) * d^2; w -= lr * d`, where
/// `g` has `weight_decay * w` in it. Equivalent of `torch.optim.Adadelta`, whose rate is 1 by default.
///
/// ```
/// # use gpu_core::Device;
/// # use nn::{Adadelta, Init, Layer, Linear};
/// # let net = Linear::new(1).build(&Init::seeded(&Device::Cpu, 0), [3]).unwrap();
/// let adadelta = Adadelta::new(&net, 1.0).rho(0.95).weight_decay(1e-4);
/// # let _ = adadelta;
/// ```
pub type Adadelta = RuleOptimizer<AdadeltaRule>;

/// The rule of [`Adadelta`].
#[derive(Debug, Clone, Copy)]
pub struct AdadeltaRule {
    rho: f32,
    eps: f32,
}

impl Rule for AdadeltaRule {
    fn moments(&self) -> Vec<Moment> {
        ["square_avg", "acc_delta"].map(Moment::new).to_vec()
    }
    fn hyper(&self, Figures { lr, weight_decay, .. }: Figures) -> [f32; 8] {
        let [rho, eps] = [self.rho, self.eps].map(decimal);
        AdadeltaHyper { lr, rho, eps, weight_decay }.to_array()
    }
    fn launch(&self, on: &Stretch<'_>) {
        ops::adadelta_step(&on.params, &on.grads, &on.moments[0], &on.moments[1], on.hyper);
    }
}

impl Adadelta {
    /// For the parameters of `net` that are trainable and not frozen, which move into one tensor. Rho 0.9, eps 1e-6.
    ///
    /// # Panics
    /// If there are none.
    #[track_caller]
    pub fn new(net: &dyn Parameters, lr: f32) -> Self {
        Self::of_rule(net, lr, AdadeltaRule { rho: 0.9, eps: 1e-6 })
    }

    /// How much of the mean squares is kept.
    pub fn rho(self, rho: f32) -> Self {
        self.with(|r| r.rho = rho)
    }
    /// What is added under both roots. Its root is the size of the very first steps.
    pub fn eps(self, eps: f32) -> Self {
        self.with(|r| r.eps = eps)
    }
}
