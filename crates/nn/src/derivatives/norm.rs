//! Batch normalisation.

use crate::var::Var;
use gpu_core::{Tensor, ops};

impl Var {
    /// `(x - mean) * rstd * gamma + beta` a channel, with the batch's mean and variance, which also flow into `running_mean` and
    /// `running_var` (in place). Equivalent of `torch.nn.functional.batch_norm(training=True)`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn batch_norm(
        &self,
        gamma: &Self,
        beta: &Self,
        running_mean: &Tensor,
        running_var: &Tensor,
        momentum: f32,
        eps: f32,
    ) -> Self {
        let forward = ops::batch_norm(self.value(), gamma.value(), beta.value(), running_mean, running_var, momentum, eps);
        let (x, gamma_kept) = (self.value().clone(), gamma.value().clone());
        let ops::BatchNorm { y, mean, rstd } = forward;
        Self::derived(y, [self, gamma, beta], move |dy, needs| {
            let (dx, dgamma, dbeta) = ops::batch_norm_bwd(&x, dy, &gamma_kept, &mean, &rstd);
            [needs[0].then_some(dx), needs[1].then_some(dgamma), needs[2].then_some(dbeta)]
        })
    }

    /// The same with the running mean and variance. Equivalent of `torch.nn.functional.batch_norm(training=False)`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn batch_norm_eval(&self, gamma: &Self, beta: &Self, running_mean: &Tensor, running_var: &Tensor, eps: f32) -> Self {
        let y = ops::batch_norm_eval(self.value(), gamma.value(), beta.value(), running_mean, running_var, eps);
        let (x, gamma_kept) = (self.value().clone(), gamma.value().clone());
        let (mean, var) = (running_mean.clone(), running_var.clone());
        Self::derived(y, [self, gamma, beta], move |dy, needs| {
            let (dx, dgamma, dbeta) = ops::batch_norm_eval_bwd(&x, dy, &gamma_kept, &mean, &var, eps);
            [needs[0].then_some(dx), needs[1].then_some(dgamma), needs[2].then_some(dbeta)]
        })
    }
}
