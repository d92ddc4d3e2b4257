//! Matrix products and biases.

use crate::var::Var;
use gpu_core::ops;

impl Var {
    /// Matrix product of (m, k) and (k, n), or of as many pairs as there are batches. Equivalent of `torch.matmul`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn matmul(&self, b: &Self) -> Self {
        let y = ops::matmul(self.value(), b.value());
        let (a_kept, b_kept) = (self.kept_for(b), b.kept_for(self));
        Self::derived(y, [self, b], move |dy, needs| {
            [
                needs[0].then(|| ops::matmul_tb(dy, &b_kept.expect("kept for da"))),
                needs[1].then(|| ops::matmul_ta(&a_kept.expect("kept for db"), dy)),
            ]
        })
    }

    /// `self (N, in) w^T + b` with `w` (out, in). Equivalent of `torch.nn.functional.linear`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn linear(&self, w: &Self, b: Option<&Self>) -> Self {
        let y = ops::matmul_tb(self.value(), w.value());
        let (x_kept, w_kept) = (self.kept_for(w), w.kept_for(self));
        let y = Self::derived(y, [self, w], move |dy, needs| {
            [
                needs[0].then(|| ops::matmul(dy, &w_kept.expect("kept for dx"))),
                needs[1].then(|| ops::matmul_ta(dy, &x_kept.expect("kept for dw"))),
            ]
        });
        match b {
            Some(b) => y.add_bias(b),
            None => y,
        }
    }

    /// `self (N, C, ...) + b (C)`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn add_bias(&self, b: &Self) -> Self {
        let y = ops::add_bias(self.value(), b.value());
        Self::derived(y, [self, b], |dy, needs| [needs[0].then(|| dy.clone()), needs[1].then(|| ops::add_bias_bwd_b(dy))])
    }
}
