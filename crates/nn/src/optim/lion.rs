//! Lion.

use super::{Figures, Moment, Rule, RuleOptimizer, Stretch};
use crate::autograd::Parameters;
use crate::decimal::decimal;
use gpu_core::ops::{self, LionHyper};

/// Lion: `w -= lr * (sign(beta1 * m + (1 - beta1) * g) + weight_decay * w); m = beta2 * m + (1 - beta2) * g` (Chen et al., "Symbolic
/// discovery of optimization algorithms", 2023). It keeps half of what Adam keeps, and wants a third to a tenth of its rate.
/// PyTorch has none.
///
/// ```
/// # use gpu_core::Device;
/// # use nn::{Init, Layer, Linear, Lion};
/// # let net = Linear::new(1).build(&Init::seeded(&Device::Cpu, 0), [3]).unwrap();
/// let lion = Lion::new(&net, 1e-4).betas(0.95, 0.98).weight_decay(0.1);
/// # let _ = lion;
/// ```
pub type Lion = RuleOptimizer<LionRule>;

/// The rule of [`Lion`].
#[derive(Debug, Clone, Copy)]
pub struct LionRule {
    beta1: f32,
    beta2: f32,
}

impl Rule for LionRule {
    fn moments(&self) -> Vec<Moment> {
        vec![Moment::new("exp_avg")]
    }
    fn hyper(&self, Figures { lr, weight_decay, .. }: Figures) -> [f32; 8] {
        let [beta1, beta2] = [self.beta1, self.beta2].map(decimal);
        LionHyper { lr, beta1, beta2, weight_decay }.to_array()
    }
    fn launch(&self, on: &Stretch<'_>) {
        ops::lion_step(&on.params, &on.grads, &on.moments[0], on.hyper);
    }
}

impl Lion {
    /// For the parameters of `net` that are trainable and not frozen, which move into one tensor. Betas 0.9 and 0.99.
    ///
    /// # Panics
    /// If there are none.
    #[track_caller]
    pub fn new(net: &dyn Parameters, lr: f32) -> Self {
        Self::of_rule(net, lr, LionRule { beta1: 0.9, beta2: 0.99 })
    }

    /// How much of the mean gradient counts in the step, and how much is kept of it.
    pub fn betas(self, beta1: f32, beta2: f32) -> Self {
        self.with(|r| (r.beta1, r.beta2) = (beta1, beta2))
    }
}
