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
//!
//! A type of layer is one struct in `types/` and one line in `layer.rs`.

mod fields;
#[cfg(test)]
mod hostile;
mod layer;
mod parse;
mod plan;
#[cfg(test)]
mod tests;
pub mod types;

pub use fields::{Edges, Extent};
pub use layer::Layer;

use crate::init::Init;
use crate::layers::Sequential;
use crate::module::Parameters;
use gpu_core::Shape;
use serde::{Serialize, Serializer};
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
    #[serde(serialize_with = "extents")]
    input: Shape,
    layers: Vec<Layer>,
}

/// An input without its batch axis: (C, H, W) at most.
const MAX_INPUT_RANK: usize = 3;

fn extents<S: Serializer>(shape: &Shape, serializer: S) -> Result<S::Ok, S::Error> {
    shape.dims().serialize(serializer)
}

impl Spec {
    /// From its parts: the shape of one input, (C, H, W), (C, L) or (features), and the layers. They are checked by
    /// [`out_shape`](Self::out_shape) and [`build`](Self::build).
    pub fn new(input: impl Into<Shape>, layers: Vec<Layer>) -> Self {
        Self { input: input.into(), layers }
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
        self.input
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
        Ok(self.plan()?.output)
    }

    /// Elements of all trainable parameters.
    ///
    /// # Errors
    /// The first layer that does not fit.
    pub fn parameters(&self) -> Result<u64, SpecError> {
        Ok(self.plan()?.parameters)
    }

    /// Makes the network. Nothing is made unless all fits.
    ///
    /// # Errors
    /// The first layer that does not fit, or parameters that the device cannot take.
    pub fn build(&self, cx: &Init) -> Result<Sequential, SpecError> {
        let (plan, limit) = (self.plan()?, cx.device().max_tensor_bytes());
        // An optimiser moves all parameters into one tensor.
        let bytes = plan.parameters.saturating_mul(4);
        if bytes > limit {
            return Err(SpecError::TooLarge { bytes, limit, device: cx.device().name() });
        }
        Ok(plan.make(cx))
    }

    /// Whether the network begins with a [`WhiteningConv2d`](crate::WhiteningConv2d).
    pub fn begins_by_whitening(&self) -> bool {
        matches!(self.layers.first(), Some(Layer::WhiteningConv2d(_)))
    }

    /// Sets the weights of the whitening convolution that `net`, which was built from this list, begins with. `images` (N, C, H, W) are
    /// some hundreds of training images as the network sees them.
    ///
    /// # Panics
    /// If the network begins otherwise, or the images are not of its [`input`](Self::input).
    #[track_caller]
    pub fn whiten(&self, net: &dyn Parameters, images: &[f32]) {
        assert!(self.begins_by_whitening(), "whiten: the network does not begin with a whitening_conv2d");
        let count = images.len() / self.input.len();
        let shape = Shape::new(&[&[count], self.input.dims()].concat());
        net.visit("", &mut |key, param| {
            if key == "0.weight" {
                crate::layers::whiten(param, images, shape);
            }
        });
    }

    fn plan(&self) -> Result<plan::List, SpecError> {
        let input = self.input.dims();
        if !(1..=MAX_INPUT_RANK).contains(&input.len()) || input.iter().any(|d| !(1..=fields::MAX_NUMBER).contains(d)) {
            let message = format!("\"input\" {input:?} is not [C, H, W], each 1 to {}", fields::MAX_NUMBER);
            return Err(SpecError::Syntax(message));
        }
        plan::list(&self.layers, "", Shape::new(&[&[1], input].concat()))
    }
}
