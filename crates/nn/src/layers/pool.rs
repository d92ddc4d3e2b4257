//! Pooling layers.

use super::{Extents, extents, option};
use crate::module::{Module, Parameters, ShapeError};
use crate::var::Var;
use gpu_core::Shape;
use gpu_core::ops::{Divisor, PoolGeometry};

fn describe<const D: usize>(name: &str, g: PoolGeometry<D>) -> String {
    let stride = if g.stride == g.kernel { String::new() } else { option("stride", g.stride, 0) };
    let options = [stride, option("pad", g.padding, 0), option("dilation", g.dilation, 1)].concat();
    format!("{name}{D}d {}{options}{}", extents(g.kernel), if g.ceil_mode { ", ceil" } else { "" })
}

/// The largest element of each window. Equivalent of `torch.nn.MaxPool1d` and `torch.nn.MaxPool2d`.
#[derive(Debug, Clone, Copy)]
pub struct MaxPool<const D: usize> {
    geometry: PoolGeometry<D>,
}

/// The largest element of each window of (N, C, L). Equivalent of `torch.nn.MaxPool1d`.
pub type MaxPool1d = MaxPool<1>;
/// The largest element of each window of (N, C, H, W). Equivalent of `torch.nn.MaxPool2d`.
pub type MaxPool2d = MaxPool<2>;

impl<const D: usize> MaxPool<D> {
    /// Windows of `kernel`, side by side.
    pub fn new(kernel: impl Into<Extents<D>>) -> Self {
        Self { geometry: PoolGeometry::new(kernel.into().0) }
    }

    /// Steps from one window to the next.
    pub fn stride(mut self, stride: impl Into<Extents<D>>) -> Self {
        self.geometry.stride = stride.into().0;
        self
    }

    /// What stands around the input and never wins.
    pub fn padding(mut self, padding: impl Into<Extents<D>>) -> Self {
        self.geometry.padding = padding.into().0;
        self
    }

    /// Steps between a window's elements.
    pub fn dilation(mut self, dilation: impl Into<Extents<D>>) -> Self {
        self.geometry.dilation = dilation.into().0;
        self
    }

    /// Whether the last window may reach past the end.
    pub fn ceil_mode(mut self, ceil_mode: bool) -> Self {
        self.geometry.ceil_mode = ceil_mode;
        self
    }
}

impl<const D: usize> Parameters for MaxPool<D> {}

impl<const D: usize> Module for MaxPool<D> {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        x.max_pool(self.geometry)
    }
    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        self.geometry.out_shape(input).map_err(ShapeError::new)
    }
    fn describe(&self) -> String {
        describe("MaxPool", self.geometry)
    }
}

/// The mean of each window, padding included unless told otherwise. Equivalent of `torch.nn.AvgPool1d` and `torch.nn.AvgPool2d`.
#[derive(Debug, Clone, Copy)]
pub struct AvgPool<const D: usize> {
    geometry: PoolGeometry<D>,
    divisor: Divisor,
}

/// The mean of each window of (N, C, L). Equivalent of `torch.nn.AvgPool1d`.
pub type AvgPool1d = AvgPool<1>;
/// The mean of each window of (N, C, H, W). Equivalent of `torch.nn.AvgPool2d`.
pub type AvgPool2d = AvgPool<2>;

impl<const D: usize> AvgPool<D> {
    /// Windows of `kernel`, side by side.
    pub fn new(kernel: impl Into<Extents<D>>) -> Self {
        Self { geometry: PoolGeometry::new(kernel.into().0), divisor: Divisor::default() }
    }

    /// Steps from one window to the next.
    pub fn stride(mut self, stride: impl Into<Extents<D>>) -> Self {
        self.geometry.stride = stride.into().0;
        self
    }

    /// Zeros around the input.
    pub fn padding(mut self, padding: impl Into<Extents<D>>) -> Self {
        self.geometry.padding = padding.into().0;
        self
    }

    /// Whether the last window may reach past the end.
    pub fn ceil_mode(mut self, ceil_mode: bool) -> Self {
        self.geometry.ceil_mode = ceil_mode;
        self
    }

    /// What the sum of a window is divided by: PyTorch's `count_include_pad` and `divisor_override`.
    pub fn divisor(self, divisor: Divisor) -> Self {
        Self { divisor, ..self }
    }
}

impl<const D: usize> Parameters for AvgPool<D> {}

impl<const D: usize> Module for AvgPool<D> {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        x.avg_pool(self.geometry, self.divisor)
    }
    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        self.geometry.out_shape(input).map_err(ShapeError::new)
    }
    fn describe(&self) -> String {
        describe("AvgPool", self.geometry)
    }
}
