//! Multiplication by a constant.

use crate::module::{Module, Parameters, ShapeError};
use crate::var::Var;
use gpu_core::Shape;

/// `x * factor`: logits that begin small, for one. Equivalent of `torch.mul(x, factor)`.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    factor: f32,
}

impl Scale {
    /// By `factor`.
    pub fn new(factor: f32) -> Self {
        Self { factor }
    }
}

impl Parameters for Scale {}

impl Module for Scale {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        x.scale(self.factor)
    }
    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        Ok(input)
    }
    fn describe(&self) -> String {
        format!("Scale {}", self.factor)
    }
}
