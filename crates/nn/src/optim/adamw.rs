//! Adam, with the weight decay beside the gradient or in it.

use super::{Figures, Moment, Rule, RuleOptimizer, Stretch};
use crate::decimal::decimal;
use crate::module::Parameters;
use gpu_core::ops::{self, AdamHyper};

/// Adam with decoupled weight decay: `m` and `v` are moving averages of `g` and `g^2`, both freed of their start at zero;
/// `w -= lr * (m / (sqrt(v) + eps) + weight_decay * w)`. Equivalent of `torch.optim.AdamW`, but for the default weight decay,
/// which is zero; with [`coupled`](AdamW::coupled), of `torch.optim.Adam`.
pub type AdamW = RuleOptimizer<AdamRule>;

/// The rule of [`AdamW`].
#[derive(Debug, Clone, Copy)]
pub struct AdamRule {
    pub(super) beta1: f32,
    pub(super) beta2: f32,
    pub(super) eps: f32,
    decoupled: bool,
    amsgrad: bool,
}

impl Default for AdamRule {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8, decoupled: true, amsgrad: false }
    }
}

impl Rule for AdamRule {
    fn moments(&self) -> Vec<Moment> {
        let names = ["exp_avg", "exp_avg_sq"].into_iter().chain(self.amsgrad.then_some("max_exp_avg_sq"));
        names.map(Moment::new).collect()
    }
    fn hyper(&self, Figures { lr, weight_decay, step, .. }: Figures) -> [f32; 8] {
        let [beta1, beta2, eps] = [self.beta1, self.beta2, self.eps].map(decimal);
        AdamHyper { lr, beta1, beta2, eps, weight_decay, decoupled: self.decoupled }.at_step(step)
    }
    fn launch(&self, on: &Stretch<'_>) {
        match &on.moments[..] {
            [m, v, max_v] => ops::adamw_step_amsgrad(&on.params, &on.grads, m, v, max_v, on.hyper),
            moments => ops::adamw_step(&on.params, &on.grads, &moments[0], &moments[1], on.hyper),
        }
    }
}

impl AdamW {
    /// For the trainable parameters of `net`, which move into one tensor. Betas 0.9 and 0.999, eps 1e-8, no weight decay.
    ///
    /// # Panics
    /// If there are none.
    #[track_caller]
    pub fn new(net: &dyn Parameters, lr: f32) -> Self {
        Self::of_rule(net, lr, AdamRule::default())
    }

    /// How much of the mean of the gradients, and of their squares, is kept.
    pub fn betas(self, beta1: f32, beta2: f32) -> Self {
        self.with(|r| (r.beta1, r.beta2) = (beta1, beta2))
    }
    /// What is added to the root.
    pub fn eps(self, eps: f32) -> Self {
        self.with(|r| r.eps = eps)
    }
    /// The weight decay as a part of the gradient: plain Adam. Equivalent of `torch.optim.Adam`.
    pub fn coupled(self) -> Self {
        self.with(|r| r.decoupled = false)
    }
    /// Divides by the largest mean square so far (Reddi et al., 2018). Equivalent of `amsgrad=True`.
    ///
    /// # Panics
    /// After the first step: it keeps more.
    #[track_caller]
    pub fn amsgrad(self, amsgrad: bool) -> Self {
        self.with(|r| r.amsgrad = amsgrad)
    }
}
