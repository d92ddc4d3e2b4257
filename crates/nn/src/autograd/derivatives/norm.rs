//! Normalisations.

use crate::autograd::tape::Tape;
use crate::autograd::var::Var;
use gpu_core::ops::{self, RowNorm, RowStats};
use gpu_core::{Shape, Tensor};

/// The gradient of a norm of rows with respect to x.
type BwdX = fn(&Tensor, &Tensor, Option<&Tensor>, &RowStats) -> Tensor;
/// And with respect to gamma and beta.
type BwdW = fn(&Tensor, &Tensor, &RowStats) -> (Tensor, Tensor);

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
        let momentum = self.momentum(momentum);
        let forward = ops::batch_norm(self.stored(), gamma.value(), beta.value(), running_mean, running_var, momentum, eps);
        let (x, gamma_kept) = (self.stored().clone(), gamma.value().clone());
        let ops::BatchNorm { y, mean, rstd } = forward;
        Self::derived("batch_norm", y, [self, gamma, beta], move |dy, needs| {
            wanted(needs, ops::batch_norm_bwd(&x, dy, &gamma_kept, &mean, &rstd))
        })
    }

    /// The same with the running mean and variance. Equivalent of `torch.nn.functional.batch_norm(training=False)`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn batch_norm_eval(&self, gamma: &Self, beta: &Self, running_mean: &Tensor, running_var: &Tensor, eps: f32) -> Self {
        let y = ops::batch_norm_eval(self.stored(), gamma.value(), beta.value(), running_mean, running_var, eps);
        let (x, gamma_kept) = (self.stored().clone(), gamma.value().clone());
        let (mean, var) = (running_mean.clone(), running_var.clone());
        Self::derived("batch_norm_eval", y, [self, gamma, beta], move |dy, needs| {
            wanted(needs, ops::batch_norm_eval_bwd(&x, dy, &gamma_kept, &mean, &var, eps))
        })
    }

    /// [`batch_norm`](Self::batch_norm), plus `beside` where it is given, with a ReLU after it, in the same kernels. Equivalent of
    /// `torch.relu(torch.nn.functional.batch_norm(.., training=True) + beside)`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    #[allow(clippy::too_many_arguments)]
    pub fn batch_norm_relu(
        &self,
        beside: Option<&Self>,
        gamma: &Self,
        beta: &Self,
        running_mean: &Tensor,
        running_var: &Tensor,
        momentum: f32,
        eps: f32,
    ) -> Self {
        let momentum = self.momentum(momentum);
        let (x, [g, b]) = (self.stored().clone(), [gamma, beta].map(|v| v.value().clone()));
        let forward = ops::batch_norm_relu(&x, beside.map(Self::stored), &g, &b, running_mean, running_var, momentum, eps);
        let ops::BatchNorm { y, mean, rstd } = forward;
        let Some(beside) = beside else {
            return Self::derived("batch_norm_relu", y, [self, gamma, beta], move |dy, needs| {
                wanted(needs, ops::batch_norm_relu_bwd(&x, dy, &g, &b, &mean, &rstd))
            });
        };
        let kept = y.clone();
        Self::derived("batch_norm_relu", y, [self, gamma, beta, beside], move |dy, needs| {
            wanted(needs, ops::batch_norm_add_relu_bwd(&x, &kept, dy, &g, &mean, &rstd))
        })
    }

    /// The same with the running mean and variance. Equivalent of
    /// `torch.relu(torch.nn.functional.batch_norm(.., training=False) + beside)`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn batch_norm_eval_relu(
        &self,
        beside: Option<&Self>,
        gamma: &Self,
        beta: &Self,
        running_mean: &Tensor,
        running_var: &Tensor,
        eps: f32,
    ) -> Self {
        let (x, [g, b]) = (self.stored().clone(), [gamma, beta].map(|v| v.value().clone()));
        let y = ops::batch_norm_eval_relu(&x, beside.map(Self::stored), &g, &b, running_mean, running_var, eps);
        let (kept, mean, var) = (y.clone(), running_mean.clone(), running_var.clone());
        let beside = self.or_absent(beside);
        Self::derived("batch_norm_eval_relu", y, [self, gamma, beta, &beside], move |dy, needs| {
            let through = ops::relu_bwd_x(&kept, dy);
            let (dx, dgamma, dbeta) = ops::batch_norm_eval_bwd(&x, &through, &g, &mean, &var, eps);
            wanted(needs, [dx, dgamma, dbeta, through])
        })
    }

    /// `(x - mean) * gamma + beta` a channel, with the batch's mean, which also flows into `running_mean` (in place): a batch norm that
    /// leaves the variance. The gradient of x is `gamma * (dy - mean of dy)`.
    /// PyTorch has no such norm: it is the mean-only batch normalisation of Salimans and Kingma, 2016.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn demean_norm(&self, gamma: &Self, beta: &Self, running_mean: &Tensor, momentum: f32) -> Self {
        let (y, mean) = ops::demean_norm(self.value(), gamma.value(), beta.value(), running_mean, self.momentum(momentum));
        let (x, gamma_kept) = (self.value().clone(), gamma.value().clone());
        Self::derived("demean_norm", y, [self, gamma, beta], move |dy, needs| {
            wanted(needs, ops::demean_norm_bwd(&x, dy, &gamma_kept, &mean))
        })
    }

    /// The same with the running mean.
    /// PyTorch has no such norm: it is the mean-only batch normalisation of Salimans and Kingma, 2016.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn demean_norm_eval(&self, gamma: &Self, beta: &Self, running_mean: &Tensor) -> Self {
        let y = ops::demean_norm_eval(self.value(), gamma.value(), beta.value(), running_mean);
        let (x, gamma_kept, mean) = (self.value().clone(), gamma.value().clone(), running_mean.clone());
        Self::derived("demean_norm_eval", y, [self, gamma, beta], move |dy, needs| {
            wanted(needs, ops::demean_norm_eval_bwd(&x, dy, &gamma_kept, &mean))
        })
    }

    /// Mean 0 and variance 1 over the last axes, `normalized`, then scaled by `gamma` and shifted by `beta` of that shape. Equivalent of
    /// `torch.nn.functional.layer_norm`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn layer_norm(&self, normalized: impl Into<Shape>, gamma: Option<&Self>, beta: Option<&Self>, eps: f32) -> Self {
        let forward = ops::layer_norm(self.value(), normalized, gamma.map(Self::value), beta.map(Self::value), eps);
        self.row_norm("layer_norm", forward, gamma, beta, ops::layer_norm_bwd_x, ops::layer_norm_bwd_w)
    }

    /// Mean 0 and variance 1 over each of `groups` groups of channels of each sample of (N, C, ...), then scaled by `gamma` (C) and
    /// shifted by `beta` (C). Equivalent of `torch.nn.functional.group_norm`.
    ///
    /// # Panics
    /// If the shapes do not fit, or the groups do not divide the channels.
    #[track_caller]
    pub fn group_norm(&self, groups: usize, gamma: Option<&Self>, beta: Option<&Self>, eps: f32) -> Self {
        let forward = ops::group_norm(self.value(), groups, gamma.map(Self::value), beta.map(Self::value), eps);
        self.row_norm("group_norm", forward, gamma, beta, ops::group_norm_bwd_x, ops::group_norm_bwd_w)
    }

    /// Mean 0 and variance 1 over each channel of each sample of (N, C, ...): a group a channel. Equivalent of
    /// `torch.nn.functional.instance_norm`.
    ///
    /// # Panics
    /// If the shapes do not fit, or a channel of a sample has one value.
    #[track_caller]
    pub fn instance_norm(&self, gamma: Option<&Self>, beta: Option<&Self>, eps: f32) -> Self {
        let channels = self.instances("instance_norm");
        self.group_norm(channels, gamma, beta, eps)
    }

    /// The same; the means over the samples of means and unbiased variances flow into `running_mean` and `running_var` (in place).
    /// Equivalent of `torch.nn.functional.instance_norm(running_mean, running_var, use_input_stats=True)`; what it does with
    /// `use_input_stats=False` is [`batch_norm_eval`](Self::batch_norm_eval).
    ///
    /// # Panics
    /// If the shapes do not fit, or a channel of a sample has one value.
    #[track_caller]
    pub fn instance_norm_tracked(
        &self,
        gamma: Option<&Self>,
        beta: Option<&Self>,
        running_mean: &Tensor,
        running_var: &Tensor,
        momentum: f32,
        eps: f32,
    ) -> Self {
        let (x, groups) = (self.value(), self.instances("instance_norm_tracked"));
        let forward = ops::group_norm(x, groups, gamma.map(Self::value), beta.map(Self::value), eps);
        ops::instance_norm_running(x, &forward.stats, running_mean, running_var, self.momentum(momentum), eps);
        self.row_norm("instance_norm_tracked", forward, gamma, beta, ops::group_norm_bwd_x, ops::group_norm_bwd_w)
    }

    /// Divided by the root of `eps` and the mean of squares over the last axes, `normalized`, then scaled by `gamma` of that shape.
    /// Equivalent of `torch.nn.functional.rms_norm`, whose own `eps` is `f32::EPSILON`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn rms_norm(&self, normalized: impl Into<Shape>, gamma: Option<&Self>, eps: f32) -> Self {
        let (y, rstd) = ops::rms_norm(self.value(), normalized, gamma.map(Self::value), eps);
        let (x, gamma_kept) = (self.value().clone(), gamma.map(|g| g.value().clone()));
        Self::derived("rms_norm", y, [self, &self.or_absent(gamma)], move |dy, needs| {
            [
                needs[0].then(|| ops::rms_norm_bwd_x(&x, dy, gamma_kept.as_ref(), &rstd)),
                needs[1].then(|| ops::rms_norm_bwd_w(&x, dy, &rstd)),
            ]
        })
    }

    /// The gradients of a norm of rows.
    #[track_caller]
    fn row_norm(
        &self,
        op: &'static str,
        RowNorm { y, stats }: RowNorm,
        gamma: Option<&Self>,
        beta: Option<&Self>,
        bwd_x: BwdX,
        bwd_w: BwdW,
    ) -> Self {
        let (x, gamma_kept) = (self.value().clone(), gamma.map(|g| g.value().clone()));
        Self::derived(op, y, [self, &self.or_absent(gamma), &self.or_absent(beta)], move |dy, needs| {
            let dx = needs[0].then(|| bwd_x(&x, dy, gamma_kept.as_ref(), &stats));
            let (dgamma, dbeta) = (needs[1] || needs[2]).then(|| bwd_w(&x, dy, &stats)).unzip();
            [dx, dgamma.filter(|_| needs[1]), dbeta.filter(|_| needs[2])]
        })
    }

    /// The weight of this batch in running statistics: none where a part of the pass is computed again.
    fn momentum(&self, momentum: f32) -> f32 {
        if self.tape().is_some_and(Tape::is_again) { 0.0 } else { momentum }
    }

    /// The channels of samples that have several values in each: one has no variance.
    #[track_caller]
    fn instances(&self, op: &str) -> usize {
        let x = self.shape();
        assert!(x.rank() >= 2, "{op}: x needs axes (n, c, ..) (x {x})");
        assert!(x.is_empty() || x.inner(2) > 1, "{op}: x {x} has one value a channel of a sample, a variance needs more");
        x.c()
    }
}

fn wanted<const N: usize>(needs: [bool; N], gradients: impl Into<[Tensor; N]>) -> [Option<Tensor>; N] {
    let mut needs = needs.into_iter();
    gradients.into().map(|gradient| needs.next().is_some_and(|needed| needed).then_some(gradient))
}
