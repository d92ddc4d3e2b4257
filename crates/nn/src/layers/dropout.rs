//! Dropout layers: active in training mode only.

use crate::module::{Module, ShapeError};
use crate::var::Var;
use gpu_core::Shape;

/// Zeroes elements with probability `p` in training. Equivalent of `torch.nn.Dropout`.
#[derive(Debug, Clone, Copy)]
pub struct Dropout {
    p: f32,
}

/// Zeroes whole channels with probability `p` in training. Equivalent of `torch.nn.Dropout2d`.
#[derive(Debug, Clone, Copy)]
pub struct Dropout2d {
    p: f32,
}

#[track_caller]
fn probability(p: f32) -> f32 {
    assert!((0.0..=1.0).contains(&p), "dropout: the probability {p} is not in 0..=1");
    p
}

impl Dropout {
    /// Drops with probability `p`.
    ///
    /// # Panics
    /// If `p` is not in [0, 1].
    #[track_caller]
    pub fn new(p: f32) -> Self {
        Self { p: probability(p) }
    }
}

impl Dropout2d {
    /// Drops with probability `p`.
    ///
    /// # Panics
    /// If `p` is not in [0, 1].
    #[track_caller]
    pub fn new(p: f32) -> Self {
        Self { p: probability(p) }
    }
}

impl Module for Dropout {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        x.dropout(self.p)
    }
    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        Ok(input)
    }
    fn describe(&self) -> String {
        format!("Dropout {}", self.p)
    }
}

impl Module for Dropout2d {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        x.dropout2d(self.p)
    }
    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        match input.rank() {
            4 => Ok(input),
            _ => Err(ShapeError::new(format!("dropout2d: {input} is not (N, C, H, W)"))),
        }
    }
    fn describe(&self) -> String {
        format!("Dropout2d {}", self.p)
    }
}
