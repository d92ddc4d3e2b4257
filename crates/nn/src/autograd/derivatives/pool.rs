//! Pooling. That of one axis is a view of that of two: (N, C, L) is (N, C, 1, L).

use super::conv::fits;
use crate::autograd::var::Var;
use gpu_core::Shape;
use gpu_core::ops::{self, Divisor, Pool1dGeometry, Pool2dGeometry, PoolGeometry};

impl Var {
    /// The largest element of each window of (N, C, L). Equivalent of `torch.nn.functional.max_pool1d`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn max_pool1d(&self, g: Pool1dGeometry) -> Self {
        self.max_pool(g)
    }

    /// The largest element of each window of (N, C, H, W). Equivalent of `torch.nn.functional.max_pool2d`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn max_pool2d(&self, g: Pool2dGeometry) -> Self {
        self.max_pool(g)
    }

    /// The mean of each window of (N, C, L). Equivalent of `torch.nn.functional.avg_pool1d`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn avg_pool1d(&self, g: Pool1dGeometry, divisor: Divisor) -> Self {
        self.avg_pool(g, divisor)
    }

    /// The mean of each window of (N, C, H, W), by a divisor to choose. Equivalent of `torch.nn.functional.avg_pool2d`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn avg_pool2d(&self, g: Pool2dGeometry, divisor: Divisor) -> Self {
        self.avg_pool(g, divisor)
    }

    #[track_caller]
    pub(crate) fn max_pool<const D: usize>(&self, g: PoolGeometry<D>) -> Self {
        let op = ["max_pool1d", "max_pool2d"][D - 1];
        let (x, out) = self.windowed(g, op);
        let (g, shape) = (g.with_two_axes(), x.shape());
        let (y, indices) = ops::max_pool2d(x.value(), g);
        // The largest of some is one of them: what is held in f16 stays exact.
        let y = ops::cast(&y, x.stored().dtype());
        Self::derived(op, y, [&x], move |dy, _| [Some(ops::max_pool2d_bwd_x(dy, &indices, shape, g))]).shaped(out)
    }

    #[track_caller]
    pub(crate) fn avg_pool<const D: usize>(&self, g: PoolGeometry<D>, divisor: Divisor) -> Self {
        let op = ["avg_pool1d", "avg_pool2d"][D - 1];
        let (x, out) = self.windowed(g, op);
        let (g, shape) = (g.with_two_axes(), x.shape());
        let y = ops::avg_pool2d(x.value(), g, divisor);
        Self::derived(op, y, [&x], move |dy, _| [Some(ops::avg_pool2d_bwd_x(dy, shape, g, divisor))]).shaped(out)
    }

    /// `x` with two spatial axes, and the output's shape.
    #[track_caller]
    fn windowed<const D: usize>(&self, g: PoolGeometry<D>, op: &str) -> (Self, Shape) {
        (self.with_two_axes(), fits(op, g.out_shape(self.shape())))
    }

    /// The mean of each image's channels: (N, C, 1, 1). Equivalent of `torch.nn.functional.adaptive_avg_pool2d(x, 1)`.
    ///
    /// # Panics
    /// If the rank is not 4.
    #[track_caller]
    pub fn global_avg_pool(&self) -> Self {
        let shape = self.shape();
        Self::derived("global_avg_pool", ops::global_avg_pool(self.value()), [self], move |dy, _| {
            [Some(ops::global_avg_pool_bwd_x(dy, shape))]
        })
    }

    /// The largest element of each image's channels: (N, C, 1, 1). Equivalent of `torch.nn.functional.adaptive_max_pool2d(x, 1)`.
    ///
    /// # Panics
    /// If the rank is not 4.
    #[track_caller]
    pub fn global_max_pool(&self) -> Self {
        self.adaptive_max_pool2d([1, 1])
    }

    /// The mean of each of `output` rows and columns of parts of (N, C, H, W). Equivalent of
    /// `torch.nn.functional.adaptive_avg_pool2d`.
    ///
    /// # Panics
    /// If the rank is not 4, or an extent is zero.
    #[track_caller]
    pub fn adaptive_avg_pool2d(&self, output: [usize; 2]) -> Self {
        let shape = self.shape();
        let y = ops::adaptive_avg_pool2d(self.value(), output);
        Self::derived("adaptive_avg_pool2d", y, [self], move |dy, _| [Some(ops::adaptive_avg_pool2d_bwd_x(dy, shape))])
    }

    /// The largest element of each of `output` rows and columns of parts of (N, C, H, W). Equivalent of
    /// `torch.nn.functional.adaptive_max_pool2d`.
    ///
    /// # Panics
    /// If the rank is not 4, or an extent is zero.
    #[track_caller]
    pub fn adaptive_max_pool2d(&self, output: [usize; 2]) -> Self {
        let shape = self.shape();
        let (y, indices) = ops::adaptive_max_pool2d(self.value(), output);
        Self::derived("adaptive_max_pool2d", y, [self], move |dy, _| [Some(ops::adaptive_max_pool2d_bwd_x(dy, &indices, shape))])
    }
}
