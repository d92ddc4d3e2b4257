//! Layers without parameters that change no extent but the rank.

use crate::module::{Module, ShapeError};
use crate::var::Var;
use gpu_core::Shape;

/// `max(x, 0)`. Equivalent of `torch.nn.ReLU`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Relu;

impl Module for Relu {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        x.relu()
    }
    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        Ok(input)
    }
    fn describe(&self) -> String {
        "Relu".to_owned()
    }
}

/// (N, ...) as (N, all the rest). Equivalent of `torch.nn.Flatten`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Flatten;

impl Module for Flatten {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        x.flatten()
    }
    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        if input.rank() == 0 {
            return Err(ShapeError::new("flatten: a scalar has no batch axis"));
        }
        Ok([input.n(), input.inner(1)].into())
    }
    fn describe(&self) -> String {
        "Flatten".to_owned()
    }
}
