//! Adam, with the weight decay beside the gradient or in it.

use super::{Figures, Moment, Rule, RuleOptimizer, Stretch};
use crate::autograd::Parameters;
use crate::decimal::decimal;
use gpu_core::ops::{self, AdamHyper};

/// Adam with decoupled weight decay: `m` and `v` are moving averages of `g` and `g^2`, both freed of their start at zero;
/// `w -= lr * (m / (sqrt(v) + eps) + weight_decay * w)`. Equivalent of `torch.optim.AdamW`, but for the default weight decay,
/// which is zero.
pub type AdamW = RuleOptimizer<AdamRule<true>>;

/// Adam: as [`AdamW`], but with `weight_decay * w` as a part of the gradient. Equivalent of `torch.optim.Adam`.
///
/// ```
/// # use gpu_core::Device;
/// # use nn::{Adam, Init, Layer, Linear};
/// # let net = Linear::new(1).build(&Init::seeded(&Device::Cpu, 0), [3]).unwrap();
/// let adam = Adam::new(&net, 1e-3).betas(0.5, 0.999).weight_decay(1e-4);
/// # let _ = adam;
/// ```
pub type Adam = RuleOptimizer<AdamRule<false>>;

/// The rule of [`AdamW`] (`DECOUPLED`: the weight decay is beside the gradient) and of [`Adam`] (it is in it).
#[derive(Debug, Clone, Copy)]
pub struct AdamRule<const DECOUPLED: bool> {
    pub(super) beta1: f32,
    pub(super) beta2: f32,
    pub(super) eps: f32,
    amsgrad: bool,
}

impl<const DECOUPLED: bool> Default for AdamRule<DECOUPLED> {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8, amsgrad: false }
    }
}

impl<const DECOUPLED: bool> Rule for AdamRule<DECOUPLED> {
    fn moments(&self) -> Vec<Moment> {
        let names = ["exp_avg", "exp_avg_sq"].into_iter().chain(self.amsgrad.then_some("max_exp_avg_sq"));
        names.map(Moment::new).collect()
    }
    fn hyper(&self, Figures { lr, weight_decay, step, .. }: Figures) -> [f32; 8] {
        let [beta1, beta2, eps] = [self.beta1, self.beta2, self.eps].map(decimal);
        AdamHyper { lr, beta1, beta2, eps, weight_decay, decoupled: DECOUPLED }.at_step(step)
    }
    fn launch(&self, on: &Stretch<'_>) {
        match &on.moments[..] {
            [m, v, max_v] => ops::adamw_step_amsgrad(&on.params, &on.grads, m, v, max_v, on.hyper),
            moments => ops::adamw_step(&on.params, &on.grads, &moments[0], &moments[1], on.hyper),
        }
    }
}

impl<const DECOUPLED: bool> RuleOptimizer<AdamRule<DECOUPLED>> {
    /// For the parameters of `net` that are trainable and not frozen, which move into one tensor. Betas 0.9 and 0.999, eps 1e-8, no weight decay.
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
    /// Divides by the largest mean square so far (Reddi et al., 2018). Equivalent of `amsgrad=True`.
    ///
    /// # Panics
    /// After the first step: it keeps more.
    #[track_caller]
    pub fn amsgrad(self, amsgrad: bool) -> Self {
        self.with(|r| r.amsgrad = amsgrad)
    }
}
