//! RMSprop.

use super::{Figures, Moment, Rule, RuleOptimizer, Stretch};
use crate::autograd::Parameters;
use crate::decimal::decimal;
use gpu_core::ops::{self, RmspropHyper};

/// RMSprop: `s = alpha * s + (1 - alpha) * g^2; w -= lr * g / (sqrt(s) + eps)`, where `g` has `weight_decay * w` in it. Equivalent
/// of `torch.optim.RMSprop`.
///
/// ```
/// # use gpu_core::Device;
/// # use nn::{Init, Layer, Linear, RmsProp};
/// # let net = Linear::new(1).build(&Init::seeded(&Device::Cpu, 0), [3]).unwrap();
/// let rmsprop = RmsProp::new(&net, 0.01).alpha(0.9).momentum(0.9).centered(true);
/// # let _ = rmsprop;
/// ```
pub type RmsProp = RuleOptimizer<RmsPropRule>;

/// The rule of [`RmsProp`].
#[derive(Debug, Clone, Copy)]
pub struct RmsPropRule {
    alpha: f32,
    eps: f32,
    momentum: f32,
    centered: bool,
}

const MOMENTUM: &str = "momentum_buffer";
const MEAN: &str = "grad_avg";

impl Rule for RmsPropRule {
    fn moments(&self) -> Vec<Moment> {
        let extra = [(self.momentum > 0.0).then_some(MOMENTUM), self.centered.then_some(MEAN)];
        ["square_avg"].into_iter().chain(extra.into_iter().flatten()).map(Moment::new).collect()
    }
    fn hyper(&self, Figures { lr, weight_decay, .. }: Figures) -> [f32; 8] {
        let [alpha, eps, momentum] = [self.alpha, self.eps, self.momentum].map(decimal);
        RmspropHyper { lr, alpha, eps, weight_decay, momentum }.to_array()
    }
    fn launch(&self, on: &Stretch<'_>) {
        let names: Vec<&str> = self.moments().iter().map(|m| m.name).collect();
        let find = |name: &str| names.iter().position(|n| *n == name).map(|i| &on.moments[i]);
        ops::rmsprop_step(&on.params, &on.grads, &on.moments[0], find(MOMENTUM), find(MEAN), on.hyper);
    }
}

impl RmsProp {
    /// For the parameters of `net` that are trainable and not frozen, which move into one tensor. Alpha 0.99, eps 1e-8, no momentum.
    ///
    /// # Panics
    /// If there are none.
    #[track_caller]
    pub fn new(net: &dyn Parameters, lr: f32) -> Self {
        Self::of_rule(net, lr, RmsPropRule { alpha: 0.99, eps: 1e-8, momentum: 0.0, centered: false })
    }

    /// How much of the mean square is kept.
    pub fn alpha(self, alpha: f32) -> Self {
        self.with(|r| r.alpha = alpha)
    }
    /// What is added to the root.
    pub fn eps(self, eps: f32) -> Self {
        self.with(|r| r.eps = eps)
    }
    /// How much of the last step is kept.
    ///
    /// # Panics
    /// After the first step, where there was none before: it keeps more.
    #[track_caller]
    pub fn momentum(self, momentum: f32) -> Self {
        self.with(|r| r.momentum = momentum)
    }
    /// Takes the mean off: divides by the root of the variance.
    ///
    /// # Panics
    /// After the first step: it keeps more.
    #[track_caller]
    pub fn centered(self, centered: bool) -> Self {
        self.with(|r| r.centered = centered)
    }
}
