//! What a layer and a network have in common.

use crate::autograd::{Param, Parameters, Var, join};
use gpu_core::Shape;
use std::sync::Arc;
use thiserror::Error;

/// A layer that does not fit what comes in, or has a field out of its range.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}{message}", place(layer, kind))]
pub struct ShapeError {
    /// The layer's path in the network, as in the state dict; empty for a layer on its own.
    pub layer: String,
    /// The layer's kind: its name in layer lists, or its type; empty where that is not known.
    pub kind: String,
    /// What is wrong.
    pub message: String,
}

fn place(layer: &str, kind: &str) -> String {
    match (layer, kind) {
        ("", "") => String::new(),
        ("", kind) => format!("{kind}: "),
        (layer, "") => format!("layer {layer}: "),
        (layer, kind) => format!("layer {layer} ({kind}): "),
    }
}

impl ShapeError {
    /// For a layer that does not know where in the network it stands.
    pub fn new(message: impl Into<String>) -> Self {
        Self { layer: String::new(), kind: String::new(), message: message.into() }
    }

    /// The same, seen from outside a part called `name`, whose path begins with it.
    pub fn at(self, name: &str) -> Self {
        let layer = if self.layer.is_empty() { name.to_owned() } else { join(name, &self.layer) };
        Self { layer, ..self }
    }

    /// Of a layer of this kind, unless a layer inside it has said so.
    pub(crate) fn of(self, kind: &str) -> Self {
        if !self.kind.is_empty() {
            return self;
        }
        // Operators begin their messages with their own name.
        let message = self.message.strip_prefix(&format!("{kind}: ")).unwrap_or(&self.message).to_owned();
        Self { kind: kind.to_owned(), message, ..self }
    }
}

/// A description of which no network can be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A layer is wrong, or does not fit what comes in.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The whole is too large for the device.
    #[error("{bytes} bytes of parameters are over the {limit} bytes that {device} takes in one tensor; make layers smaller")]
    TooLarge {
        /// Of the parameters.
        bytes: u64,
        /// What one tensor may have.
        limit: u64,
        /// The device.
        device: String,
    },
    /// The device has not as much memory left.
    #[error("{bytes} bytes of parameters are more than the {free} bytes of memory that are free; make layers smaller")]
    OutOfMemory {
        /// Of the parameters.
        bytes: u64,
        /// What can be had.
        free: u64,
    },
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

/// A network: a function of a variable, with parameters. A [`Net`](crate::Net) is one. Implement it for a network that is no tree of
/// layers; a layer of one's own is a [`Layer`](crate::Layer), and a struct of several inputs or outputs has [`Parameters`] alone.
///
/// In training mode (a variable on a tape) and in evaluation mode it is the same `forward`; the variable knows.
///
/// ```
/// use gpu_core::{Device, Shape};
/// use nn::{Init, Layer, Linear, Module, Net, ShapeError, Sgd, StepOptions, TrainStep, Var, parameters};
///
/// /// Two views of one input, added up.
/// struct Sum {
///     left: Net,
///     right: Net,
/// }
/// parameters!(Sum { left, right });
///
/// impl Module for Sum {
///     fn forward(&self, x: &Var) -> Var {
///         self.left.forward(x).add(&self.right.forward(x).tanh())
///     }
///     fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
///         self.left.out_shape(input).map_err(|e| e.at("left"))
///     }
///     fn describe(&self) -> String {
///         "Sum".to_owned()
///     }
/// }
///
/// let cx = Init::seeded(&Device::Cpu, 0);
/// let net = Sum { left: Linear::new(2).build(&cx, [3])?, right: Linear::new(2).build(&cx, [3])? };
/// let step = TrainStep::captured(&net, &Sgd::new(&net, 0.1), &StepOptions::new(4, [3]))?;
/// step.run_on(&[0.5; 12], &[0, 1, 1, 0])?;
/// assert_eq!(parameters(&net)[2].0, "right.weight");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[diagnostic::on_unimplemented(note = "a layer is a description; `build` makes the network, which has a `forward`")]
pub trait Module: Parameters {
    /// What comes out for `x`. It is called with batches of other sizes too: the memory of a training step is foretold by recording two
    /// small ones.
    fn forward(&self, x: &Var) -> Var;

    /// The shape that comes out for one of shape `input`, batch included, without computing anything.
    ///
    /// # Errors
    /// If the input does not fit, with the layer's path.
    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError>;

    /// Refuses a batch of shape `input` that it can be evaluated on and not trained: of which a norm would see one value a channel.
    ///
    /// # Errors
    /// If it is one, with the layer's path.
    fn expect_trainable(&self, input: Shape) -> Result<(), ShapeError> {
        self.out_shape(input).map(|_| ())
    }

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
            fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
                (**self).out_shape(input)
            }
            fn expect_trainable(&self, input: Shape) -> Result<(), ShapeError> {
                (**self).expect_trainable(input)
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
