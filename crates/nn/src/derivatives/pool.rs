//! Pooling.

use crate::var::Var;
use gpu_core::ops::{self, Pool2dGeometry};

impl Var {
    /// The largest element of each window. Equivalent of `torch.nn.functional.max_pool2d`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn max_pool2d(&self, g: Pool2dGeometry) -> Self {
        let (y, indices) = ops::max_pool2d(self.value(), g);
        let shape = self.shape();
        Self::derived(y, [self], move |dy, _| [Some(ops::max_pool2d_bwd_x(dy, &indices, shape, g))])
    }

    /// The mean of each window, padding included. Equivalent of `torch.nn.functional.avg_pool2d`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn avg_pool2d(&self, g: Pool2dGeometry) -> Self {
        let shape = self.shape();
        Self::derived(ops::avg_pool2d(self.value(), g), [self], move |dy, _| [Some(ops::avg_pool2d_bwd_x(dy, shape, g))])
    }

    /// The mean of each image's channels: (N, C, 1, 1). Equivalent of `torch.nn.functional.adaptive_avg_pool2d(x, 1)`.
    ///
    /// # Panics
    /// If the rank is not 4.
    #[track_caller]
    pub fn global_avg_pool(&self) -> Self {
        let shape = self.shape();
        Self::derived(ops::global_avg_pool(self.value()), [self], move |dy, _| [Some(ops::global_avg_pool_bwd_x(dy, shape))])
    }
}
