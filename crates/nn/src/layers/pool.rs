//! Pooling layers.

use super::{Pair, both, option};
use crate::module::{Module, ShapeError};
use crate::var::Var;
use gpu_core::Shape;
use gpu_core::ops::Pool2dGeometry;

fn describe(name: &str, g: Pool2dGeometry) -> String {
    let stride = if g.stride == g.kernel { String::new() } else { option("stride", g.stride, 0) };
    format!("{name} {}{stride}{}", both(g.kernel), option("pad", g.padding, 0))
}

/// The largest element of each window. Equivalent of `torch.nn.MaxPool2d`.
#[derive(Debug, Clone, Copy)]
pub struct MaxPool2d {
    geometry: Pool2dGeometry,
}

impl MaxPool2d {
    /// Windows of `kernel`, side by side.
    pub fn new(kernel: impl Into<Pair>) -> Self {
        Self { geometry: Pool2dGeometry::new(kernel.into().0) }
    }

    /// Pixels from one window to the next.
    pub fn stride(mut self, stride: impl Into<Pair>) -> Self {
        self.geometry.stride = stride.into().0;
        self
    }

    /// Rows and columns around the image that never win.
    pub fn padding(mut self, padding: impl Into<Pair>) -> Self {
        self.geometry.padding = padding.into().0;
        self
    }
}

impl Module for MaxPool2d {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        x.max_pool2d(self.geometry)
    }
    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        self.geometry.out_shape(input).map_err(ShapeError::new)
    }
    fn describe(&self) -> String {
        describe("MaxPool2d", self.geometry)
    }
}

/// The mean of each window, padding included. Equivalent of `torch.nn.AvgPool2d`.
#[derive(Debug, Clone, Copy)]
pub struct AvgPool2d {
    geometry: Pool2dGeometry,
}

impl AvgPool2d {
    /// Windows of `kernel`, side by side.
    pub fn new(kernel: impl Into<Pair>) -> Self {
        Self { geometry: Pool2dGeometry::new(kernel.into().0) }
    }

    /// Pixels from one window to the next.
    pub fn stride(mut self, stride: impl Into<Pair>) -> Self {
        self.geometry.stride = stride.into().0;
        self
    }

    /// Rows and columns of zeros around the image.
    pub fn padding(mut self, padding: impl Into<Pair>) -> Self {
        self.geometry.padding = padding.into().0;
        self
    }
}

impl Module for AvgPool2d {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        x.avg_pool2d(self.geometry)
    }
    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        self.geometry.out_shape(input).map_err(ShapeError::new)
    }
    fn describe(&self) -> String {
        describe("AvgPool2d", self.geometry)
    }
}

/// The mean of each channel of each image: (N, C, 1, 1). Equivalent of `torch.nn.AdaptiveAvgPool2d(1)`.
#[derive(Debug, Clone, Copy, Default)]
pub struct GlobalAvgPool;

impl Module for GlobalAvgPool {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        x.global_avg_pool()
    }
    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        match input.rank() {
            4 => Ok([input.n(), input.c(), 1, 1].into()),
            _ => Err(ShapeError::new(format!("global_avg_pool: {input} is not (N, C, H, W)"))),
        }
    }
    fn describe(&self) -> String {
        "GlobalAvgPool".to_owned()
    }
}
