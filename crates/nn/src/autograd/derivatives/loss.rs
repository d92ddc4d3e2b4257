//! Losses. What is kept are the inputs, except that cross-entropy keeps the probabilities that it has computed.

use crate::autograd::var::Var;
use gpu_core::ops::{self, CrossEntropy, PointwiseLoss, Reduction};
use gpu_core::{Shape, Tensor};

/// A loss of single elements; gradients flow to both.
#[track_caller]
fn pointwise(op: &'static str, loss: PointwiseLoss, x: &Var, target: &Var, reduction: Reduction) -> Var {
    let y = ops::pointwise_loss(&loss, x.value(), target.value(), reduction);
    let (kept, goal) = (x.value().clone(), target.value().clone());
    Var::derived(op, y, [x, target], move |dloss, needs| {
        [
            needs[0].then(|| ops::pointwise_loss_bwd_x(&loss, &kept, &goal, reduction, dloss)),
            needs[1].then(|| ops::pointwise_loss_bwd_target(&loss, &kept, &goal, reduction, dloss)),
        ]
    })
}

impl Var {
    /// That what is filled from the host into `labels` are classes of this variable.
    fn note_labels(&self, labels: &Tensor, options: &CrossEntropy) {
        if let Some(tape) = self.tape() {
            tape.labels().note(labels, self.shape().c(), options.ignore_index);
        }
    }

    /// The mean of `-log softmax(logits)[label]` over the rows of logits (N, C, ...), or what the options ask for, which may be the
    /// label smoothing alone; `labels` are u32 (N, ...). Equivalent of `torch.nn.functional.cross_entropy`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn cross_entropy(&self, labels: &Tensor, options: impl Into<CrossEntropy>) -> Self {
        let options = options.into();
        let (loss, kept) = ops::cross_entropy(self.value(), labels, &options);
        self.note_labels(labels, &options);
        let labels = labels.clone();
        Self::derived("cross_entropy", loss, [self], move |dloss, _| [Some(ops::cross_entropy_bwd(&kept, &labels, options, dloss))])
    }

    /// Cross-entropy against probabilities of the logits' shape. Equivalent of `torch.nn.functional.cross_entropy` with a
    /// floating-point target.
    ///
    /// # Panics
    /// If the shapes do not fit, or a label to ignore is given.
    #[track_caller]
    pub fn soft_cross_entropy(&self, target: &Self, options: impl Into<CrossEntropy>) -> Self {
        let options = options.into();
        let (loss, probs) = ops::soft_cross_entropy(self.value(), target.value(), &options);
        // The logits are wanted by the target's gradient alone.
        let logits = target.needs_gradient().then(|| self.value().clone());
        let goal = target.value().clone();
        Self::derived("soft_cross_entropy", loss, [self, target], move |dloss, needs| {
            [
                needs[0].then(|| ops::soft_cross_entropy_bwd_x(&probs, &goal, &options, dloss)),
                logits.map(|logits| ops::soft_cross_entropy_bwd_target(&logits, &options, dloss)),
            ]
        })
    }

    /// Minus the log-probability of the label in each row, the mean of them, or what the options ask for. Equivalent of
    /// `torch.nn.functional.nll_loss`.
    ///
    /// # Panics
    /// If the shapes do not fit, or smoothing is asked for.
    #[track_caller]
    pub fn nll_loss(&self, labels: &Tensor, options: impl Into<CrossEntropy>) -> Self {
        let options = options.into();
        let loss = ops::nll_loss(self.value(), labels, &options);
        self.note_labels(labels, &options);
        let (shape, labels): (Shape, Tensor) = (self.shape(), labels.clone());
        Self::derived("nll_loss", loss, [self], move |dloss, _| [Some(ops::nll_loss_bwd(shape, &labels, options, dloss))])
    }

    /// `(x - target)^2`. Equivalent of `torch.nn.functional.mse_loss`.
    ///
    /// # Panics
    /// If the shapes differ, or the mean is of no elements; likewise for the other losses of single elements.
    #[track_caller]
    pub fn mse_loss(&self, target: &Self, reduction: Reduction) -> Self {
        pointwise("mse_loss", PointwiseLoss::Mse, self, target, reduction)
    }

    /// `|x - target|`. Equivalent of `torch.nn.functional.l1_loss`.
    ///
    /// # Panics
    /// As [`mse_loss`](Self::mse_loss).
    #[track_caller]
    pub fn l1_loss(&self, target: &Self, reduction: Reduction) -> Self {
        pointwise("l1_loss", PointwiseLoss::L1, self, target, reduction)
    }

    /// A parabola where x is within `beta` of the target, else a line of slope 1. Equivalent of
    /// `torch.nn.functional.smooth_l1_loss`.
    ///
    /// # Panics
    /// If `beta` is negative, and as [`mse_loss`](Self::mse_loss).
    #[track_caller]
    pub fn smooth_l1_loss(&self, target: &Self, beta: f32, reduction: Reduction) -> Self {
        pointwise("smooth_l1_loss", PointwiseLoss::SmoothL1 { beta }, self, target, reduction)
    }

    /// A parabola where x is within `delta` of the target, else a line of slope `delta`. Equivalent of
    /// `torch.nn.functional.huber_loss`.
    ///
    /// # Panics
    /// If `delta` is not positive, and as [`mse_loss`](Self::mse_loss).
    #[track_caller]
    pub fn huber_loss(&self, target: &Self, delta: f32, reduction: Reduction) -> Self {
        pointwise("huber_loss", PointwiseLoss::Huber { delta }, self, target, reduction)
    }

    /// Cross-entropy of two classes, from logits. `weight` and `pos_weight` broadcast to them. Equivalent of
    /// `torch.nn.functional.binary_cross_entropy_with_logits`.
    ///
    /// # Panics
    /// If a weight does not fit, and as [`mse_loss`](Self::mse_loss).
    #[track_caller]
    pub fn bce_with_logits(
        &self,
        target: &Self,
        weight: Option<&Tensor>,
        pos_weight: Option<&Tensor>,
        reduction: Reduction,
    ) -> Self {
        let loss = PointwiseLoss::BceWithLogits { weight: weight.cloned(), pos_weight: pos_weight.cloned() };
        pointwise("bce_with_logits", loss, self, target, reduction)
    }

    /// Cross-entropy of two classes, from probabilities. Equivalent of `torch.nn.functional.binary_cross_entropy`.
    ///
    /// # Panics
    /// If the weight does not fit, and as [`mse_loss`](Self::mse_loss).
    #[track_caller]
    pub fn bce_loss(&self, target: &Self, weight: Option<&Tensor>, reduction: Reduction) -> Self {
        pointwise("bce_loss", PointwiseLoss::Bce { weight: weight.cloned() }, self, target, reduction)
    }

    /// `target * (ln target - x)` for log-probabilities x; `log_target` if the targets are logarithms too. A mean is over the
    /// elements: sum and divide by N for PyTorch's `batchmean`. Equivalent of `torch.nn.functional.kl_div`.
    ///
    /// # Panics
    /// As [`mse_loss`](Self::mse_loss).
    #[track_caller]
    pub fn kl_div(&self, target: &Self, log_target: bool, reduction: Reduction) -> Self {
        pointwise("kl_div", PointwiseLoss::KlDiv { log_target }, self, target, reduction)
    }
}
