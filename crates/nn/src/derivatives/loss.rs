//! Losses: means over the batch.

use crate::var::Var;
use gpu_core::{Tensor, ops};

impl Var {
    /// The mean of `-log softmax(logits)[label]` over the batch, a scalar; `labels` are u32 (N). Equivalent of
    /// `torch.nn.functional.cross_entropy(label_smoothing=smoothing)`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn cross_entropy(&self, labels: &Tensor, smoothing: f32) -> Self {
        let (loss, kept) = ops::cross_entropy(self.value(), labels, smoothing);
        let labels = labels.clone();
        Self::derived(loss, [self], move |dloss, _| [Some(ops::cross_entropy_bwd(&kept, &labels, smoothing, dloss))])
    }

    /// The mean of `(x - target)^2`, a scalar. Equivalent of `torch.nn.functional.mse_loss`.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn mse(&self, target: &Self) -> Self {
        assert!(self.shape() == target.shape(), "mse: shapes differ (x {}, target {})", self.shape(), target.shape());
        let difference = self.sub(target);
        difference.mul(&difference).mean()
    }
}
