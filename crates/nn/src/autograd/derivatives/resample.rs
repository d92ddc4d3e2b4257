//! Planes of another size.

use crate::autograd::var::Var;
use gpu_core::ops::{self, Upsample2dGeometry};

impl Var {
    /// (N, C, H, W) resampled to another height and width. Equivalent of `torch.nn.functional.interpolate` with `mode="nearest"` or
    /// `"bilinear"`.
    ///
    /// # Panics
    /// If the rank is not 4, or nothing would come out.
    #[track_caller]
    pub fn upsample2d(&self, g: Upsample2dGeometry) -> Self {
        let shape = self.shape();
        Self::derived("upsample2d", ops::upsample2d(self.value(), g), [self], move |dy, _| {
            [Some(ops::upsample2d_bwd_x(dy, shape, g))]
        })
    }

    /// (N, C r^2, H, W) as (N, C, H r, W r). Equivalent of `torch.nn.functional.pixel_shuffle`.
    ///
    /// # Panics
    /// If the rank is not 4, or `r` squared does not divide the channels.
    #[track_caller]
    pub fn pixel_shuffle(&self, r: usize) -> Self {
        Self::derived("pixel_shuffle", ops::pixel_shuffle(self.value(), r), [self], move |dy, _| {
            [Some(ops::pixel_unshuffle(dy, r))]
        })
    }

    /// (N, C, H r, W r) as (N, C r^2, H, W). Equivalent of `torch.nn.functional.pixel_unshuffle`.
    ///
    /// # Panics
    /// If the rank is not 4, or `r` does not divide the height and the width.
    #[track_caller]
    pub fn pixel_unshuffle(&self, r: usize) -> Self {
        Self::derived("pixel_unshuffle", ops::pixel_unshuffle(self.value(), r), [self], move |dy, _| {
            [Some(ops::pixel_shuffle(dy, r))]
        })
    }
}
