//! Networks as text: a layer list in JSON or TOML.
//!
//! ```json
//! {"input": [3, 32, 32], "layers": [
//!     {"type": "conv2d", "out": 16, "kernel": 3, "padding": 1, "bias": false}, {"type": "batch_norm"}, {"type": "relu"},
//!     {"type": "global_avg_pool"}, {"type": "flatten"}, {"type": "linear", "out": 10}]}
//! ```
//!
//! A layer's position is its name in the state dict: `0.weight`, `7.body.0.weight`, `7.shortcut.1.bias`. Input channels follow from
//! the shapes, which are checked from end to end before anything is made.

mod build;
mod layer;
mod parse;
#[cfg(test)]
mod tests;

pub use layer::{Extent, Layer};

use crate::init::Init;
use crate::layers::Sequential;
use gpu_core::Shape;
use serde::Serialize;
use thiserror::Error;

/// A layer list that describes no network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SpecError {
    /// Not JSON, not TOML, or not an object of `input` and `layers`.
    #[error("the layer list cannot be read: {0}")]
    Syntax(String),
    /// One layer is wrong, or does not fit the layer before it.
    #[error("layer {path} ({kind}): {message}")]
    Layer {
        /// Where it stands: `3`, `7.body.0`.
        path: String,
        /// Its type.
        kind: String,
        /// What is wrong.
        message: String,
    },
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
    /// No such name in the zoo.
    #[error("there is no model \"{name}\"; there are: {known}")]
    UnknownModel {
        /// The name asked for.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// A model of the zoo that this input does not suit.
    #[error("{0}")]
    Unsuitable(String),
}

/// A network as data: the shape of one input (C, H, W) and the layers.
///
/// ```
/// use gpu_core::Device;
/// use nn::{Init, Module, Spec};
/// let spec = Spec::from_json(r#"{"input": [1, 8, 8], "layers": [{"type": "flatten"}, {"type": "linear", "out": 2}]}"#)?;
/// let net = spec.build(&Init::seeded(&Device::Cpu, 0))?;
/// assert_eq!(net.out_shape([5, 1, 8, 8].into()), Ok([5, 2].into()));
/// let wrong = Spec::from_json(r#"{"input": [1, 8, 8], "layers": [{"type": "linear", "out": 2}]}"#)?;
/// assert!(wrong.out_shape().unwrap_err().to_string().starts_with("layer 0 (linear): "));
/// # Ok::<(), nn::SpecError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spec {
    input: [usize; 3],
    layers: Vec<Layer>,
}

impl Spec {
    /// From its parts. They are checked by [`out_shape`](Self::out_shape) and [`build`](Self::build).
    pub fn new(input: [usize; 3], layers: Vec<Layer>) -> Self {
        Self { input, layers }
    }

    /// From JSON.
    ///
    /// # Errors
    /// With the line of a fault of JSON, or the layer of any other.
    pub fn from_json(text: &str) -> Result<Self, SpecError> {
        parse::spec(serde_json::from_str(text).map_err(|e| SpecError::Syntax(e.to_string()))?)
    }

    /// From TOML: `input = [3, 32, 32]` and `[[layers]]` tables.
    ///
    /// # Errors
    /// With the line of a fault of TOML, or the layer of any other.
    pub fn from_toml(text: &str) -> Result<Self, SpecError> {
        parse::spec(toml::from_str(text).map_err(|e| SpecError::Syntax(e.to_string()))?)
    }

    /// As JSON on one line.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a layer list has no key that is not a string")
    }

    /// One input: (C, H, W).
    pub fn input(&self) -> Shape {
        self.input.into()
    }

    /// The layers.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The shape that comes out for a batch of one.
    ///
    /// # Errors
    /// The first layer that does not fit.
    pub fn out_shape(&self) -> Result<Shape, SpecError> {
        Ok(build::check(self)?.output)
    }

    /// Makes the network. Nothing is made unless all fits.
    ///
    /// # Errors
    /// The first layer that does not fit, or parameters that the device cannot take.
    pub fn build(&self, cx: &Init) -> Result<Sequential, SpecError> {
        let (checked, limit) = (build::check(self)?, cx.device().max_tensor_bytes());
        let bytes = 4 * checked.parameters;
        if bytes > limit {
            return Err(SpecError::TooLarge { bytes, limit, device: cx.device().name() });
        }
        Ok(build::make(self, cx))
    }
}
