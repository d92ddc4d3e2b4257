//! Convolutions.

use crate::var::Var;
use gpu_core::ops::{self, Conv2dGeometry, ConvTranspose2dGeometry};

impl Var {
    /// 2-D convolution of `self` (N, C, H, W) with `w` (K, C / groups, R, S). Equivalent of `torch.nn.functional.conv2d`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn conv2d(&self, w: &Self, b: Option<&Self>, g: Conv2dGeometry) -> Self {
        let y = ops::conv2d(self.value(), w.value(), b.map(Self::value), g);
        let (x_kept, w_kept) = (self.kept_for(w), w.kept_for(self));
        let (x_shape, w_shape) = (self.shape(), w.shape());
        // A constant in the place of a bias that is not there: no gradient is asked for it.
        let b = b.cloned().unwrap_or_else(|| Self::constant(w.value()));
        Self::derived(y, [self, w, &b], move |dy, needs| {
            [
                needs[0].then(|| ops::conv2d_bwd_x(dy, &w_kept.expect("kept for dx"), x_shape, g)),
                needs[1].then(|| ops::conv2d_bwd_w(&x_kept.expect("kept for dw"), dy, w_shape, g)),
                needs[2].then(|| ops::add_bias_bwd_b(dy)),
            ]
        })
    }

    /// Transposed 2-D convolution of `self` (N, C, H, W) with `w` (C, K / groups, R, S): the gradient of a convolution, as an
    /// operator. Equivalent of `torch.nn.functional.conv_transpose2d`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn conv_transpose2d(&self, w: &Self, b: Option<&Self>, g: ConvTranspose2dGeometry) -> Self {
        let y = ops::conv_transpose2d(self.value(), w.value(), b.map(Self::value), g);
        let (x_kept, w_kept) = (self.kept_for(w), w.kept_for(self));
        let (x_shape, w_shape) = (self.shape(), w.shape());
        // A constant in the place of a bias that is not there: no gradient is asked for it.
        let b = b.cloned().unwrap_or_else(|| Self::constant(w.value()));
        Self::derived(y, [self, w, &b], move |dy, needs| {
            [
                needs[0].then(|| ops::conv_transpose2d_bwd_x(dy, &w_kept.expect("kept for dx"), x_shape, g)),
                needs[1].then(|| ops::conv_transpose2d_bwd_w(&x_kept.expect("kept for dw"), dy, w_shape, g)),
                needs[2].then(|| ops::add_bias_bwd_b(dy)),
            ]
        })
    }

    /// This value, if the gradient of `other` will ask for it: a product keeps a factor only for the other's sake.
    pub(super) fn kept_for(&self, other: &Self) -> Option<gpu_core::Tensor> {
        other.needs_gradient().then(|| self.value().clone())
    }
}
