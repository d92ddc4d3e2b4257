//! What a layer and a network have in common.

use crate::autograd::param::Param;
#[cfg(test)]
pub use crate::autograd::parameters::parameters;
pub use crate::autograd::parameters::{Parameters, join, parameter_count};
use crate::autograd::var::Var;
use gpu_core::Shape;
use std::sync::Arc;
use thiserror::Error;

/// A layer that does not fit what comes in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}{message}", if layer.is_empty() { String::new() } else { format!("layer {layer}: ") })]
pub struct ShapeError {
    /// The layer's path in the network, as in the state dict; empty for a layer on its own.
    pub layer: String,
    /// What does not fit.
    pub message: String,
}

impl ShapeError {
    /// For a layer that does not know where in the network it stands.
    pub fn new(message: impl Into<String>) -> Self {
        Self { layer: String::new(), message: message.into() }
    }

    /// The same, of the layer at `path`.
    pub fn at(self, path: &str) -> Self {
        if self.layer.is_empty() { Self { layer: path.to_owned(), ..self } } else { self }
    }
}

/// One layer on the way of a batch through a network; see [`Module::trace`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerReport {
    /// Its path, as in the state dict.
    pub path: String,
    /// Its kind and options.
    pub layer: String,
    /// The shape that comes out.
    pub output: Shape,
    /// Elements of its trainable parameters.
    pub parameters: usize,
    /// Multiplications with an addition.
    pub multiply_adds: u64,
}

/// What follows a layer: a sum, then perhaps a ReLU. A layer whose kernel can do both itself saves the way through memory; see
/// [`Module::forward_then`].
#[derive(Clone, Copy, Default)]
pub struct Then<'a> {
    /// What is added.
    pub add: Option<&'a Var>,
    /// Whether a ReLU comes last.
    pub relu: bool,
}

impl Then<'_> {
    /// A ReLU alone.
    pub const RELU: Self = Self { add: None, relu: true };

    /// What comes of a layer's output `y`, by operators of their own.
    #[track_caller]
    pub fn after(self, y: Var) -> Var {
        let y = self.add.map_or_else(|| y.clone(), |beside| y.add(beside));
        if self.relu { y.relu() } else { y }
    }
}

/// A layer or a network: a function of a variable, with parameters.
///
/// In training mode (a variable on a tape) and in evaluation mode it is the same `forward`; the variable knows.
pub trait Module: Parameters {
    /// What comes out for `x`.
    fn forward(&self, x: &Var) -> Var;

    /// [`forward`](Self::forward) and what follows it. A layer that can do it in its own kernel says how; containers hand it to their
    /// last layer.
    #[track_caller]
    fn forward_then(&self, x: &Var, then: Then<'_>) -> Var {
        then.after(self.forward(x))
    }

    /// Whether this is a ReLU and nothing else: the layer before may then do its work.
    fn is_relu(&self) -> bool {
        false
    }

    /// The shape that comes out for one of shape `input`, batch included, without computing anything.
    ///
    /// # Errors
    /// If the input does not fit, with the layer's path.
    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError>;

    /// Its kind and options, in a few words.
    fn describe(&self) -> String;

    /// Multiplications with an addition for such an input.
    fn multiply_adds(&self, _input: Shape) -> u64 {
        0
    }

    /// Shows `report` every layer that an input passes, in order. Containers pass it on to their layers.
    ///
    /// # Errors
    /// As [`out_shape`](Self::out_shape).
    fn trace(&self, path: &str, input: Shape, report: &mut dyn FnMut(LayerReport)) -> Result<Shape, ShapeError> {
        let output = self.out_shape(input).map_err(|e| e.at(path))?;
        let mut parameters = 0;
        self.visit(path, &mut |_, p| parameters += if p.is_trainable() { p.shape().len() } else { 0 });
        let (path, layer, multiply_adds) = (path.to_owned(), self.describe(), self.multiply_adds(input));
        report(LayerReport { path, layer, output, parameters, multiply_adds });
        Ok(output)
    }
}

/// What points to a module is a module.
macro_rules! points_to_module {
    ($($pointer:ty),*) => {$(
        impl<M: Parameters + ?Sized> Parameters for $pointer {
            fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param)) {
                (**self).visit(path, f);
            }
        }

        impl<M: Module + ?Sized> Module for $pointer {
            fn forward(&self, x: &Var) -> Var {
                (**self).forward(x)
            }
            fn forward_then(&self, x: &Var, then: Then<'_>) -> Var {
                (**self).forward_then(x, then)
            }
            fn is_relu(&self) -> bool {
                (**self).is_relu()
            }
            fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
                (**self).out_shape(input)
            }
            fn describe(&self) -> String {
                (**self).describe()
            }
            fn multiply_adds(&self, input: Shape) -> u64 {
                (**self).multiply_adds(input)
            }
            fn trace(&self, path: &str, input: Shape, report: &mut dyn FnMut(LayerReport)) -> Result<Shape, ShapeError> {
                (**self).trace(path, input, report)
            }
        }
    )*};
}
points_to_module!(Box<M>, Arc<M>, &M);
