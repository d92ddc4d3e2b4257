//! Pooling to a wanted size.

use super::{Pair, extents};
use crate::module::{Module, Parameters, ShapeError};
use crate::var::Var;
use gpu_core::Shape;

/// (N, C, rows, columns) for images of any size.
fn out_shape(name: &str, input: Shape, [rows, columns]: [usize; 2]) -> Result<Shape, ShapeError> {
    match input.rank() {
        4 if rows * columns * input.inner(2) > 0 => Ok([input.n(), input.c(), rows, columns].into()),
        4 => Err(ShapeError::new(format!("{name}: {input} cannot be divided into {rows}x{columns} parts"))),
        _ => Err(ShapeError::new(format!("{name}: {input} is not (N, C, H, W)"))),
    }
}

/// The mean of each of so many rows and columns of parts. Equivalent of `torch.nn.AdaptiveAvgPool2d`.
#[derive(Debug, Clone, Copy)]
pub struct AdaptiveAvgPool2d {
    output: [usize; 2],
}

impl AdaptiveAvgPool2d {
    /// Planes of `output` rows and columns, whatever comes in.
    pub fn new(output: impl Into<Pair>) -> Self {
        Self { output: output.into().0 }
    }
}

impl Parameters for AdaptiveAvgPool2d {}

impl Module for AdaptiveAvgPool2d {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        x.adaptive_avg_pool2d(self.output)
    }
    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        out_shape("adaptive_avg_pool2d", input, self.output)
    }
    fn describe(&self) -> String {
        format!("AdaptiveAvgPool2d {}", extents(self.output))
    }
}

/// The largest element of each of so many rows and columns of parts. Equivalent of `torch.nn.AdaptiveMaxPool2d`.
#[derive(Debug, Clone, Copy)]
pub struct AdaptiveMaxPool2d {
    output: [usize; 2],
}

impl AdaptiveMaxPool2d {
    /// Planes of `output` rows and columns, whatever comes in.
    pub fn new(output: impl Into<Pair>) -> Self {
        Self { output: output.into().0 }
    }
}

impl Parameters for AdaptiveMaxPool2d {}

impl Module for AdaptiveMaxPool2d {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        x.adaptive_max_pool2d(self.output)
    }
    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        out_shape("adaptive_max_pool2d", input, self.output)
    }
    fn describe(&self) -> String {
        format!("AdaptiveMaxPool2d {}", extents(self.output))
    }
}

/// The mean of each channel of each image: (N, C, 1, 1). Equivalent of `torch.nn.AdaptiveAvgPool2d(1)`.
#[derive(Debug, Clone, Copy, Default)]
pub struct GlobalAvgPool;

impl Parameters for GlobalAvgPool {}

impl Module for GlobalAvgPool {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        x.global_avg_pool()
    }
    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        out_shape("global_avg_pool", input, [1, 1])
    }
    fn describe(&self) -> String {
        "GlobalAvgPool".to_owned()
    }
}

/// The largest element of each channel of each image: (N, C, 1, 1). Equivalent of `torch.nn.AdaptiveMaxPool2d(1)`.
#[derive(Debug, Clone, Copy, Default)]
pub struct GlobalMaxPool;

impl Parameters for GlobalMaxPool {}

impl Module for GlobalMaxPool {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        x.global_max_pool()
    }
    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        out_shape("global_max_pool", input, [1, 1])
    }
    fn describe(&self) -> String {
        "GlobalMaxPool".to_owned()
    }
}
