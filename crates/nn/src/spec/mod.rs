//! Networks as text: a layer list in JSON or TOML.
//!
//! ```json
//! {"input": [3, 32, 32], "layers": [
//!     {"type": "conv2d", "out": 16, "kernel": 3, "padding": 1, "bias": false}, {"type": "batch_norm"}, {"type": "relu"},
//!     {"type": "global_avg_pool"}, {"type": "flatten"}, {"type": "linear", "out": 10}]}
//! ```
//!
//! A layer's position is its name in the state dict: `0.weight`, `7.body.0.weight`, `7.shortcut.1.bias`. Input channels follow from
//! the shapes, which are checked from end to end before anything is made. The types are the layers of this crate under the names of
//! [`AnyLayer::KINDS`](crate::AnyLayer::KINDS), and their fields are what the layers' methods set.

mod kinds;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod malformed;
#[cfg(test)]
mod tests;

pub use kinds::{Field, Kind, kinds};

use crate::init::Init;
use crate::layers::parse::layers;
use crate::layers::{Sequential, as_list};
use crate::module::{BuildError, ShapeError};
use crate::net::{Layer, Net, Plan};
use crate::summary::Summary;
use gpu_core::Shape;
use serde::{Serialize, Serializer};
use serde_json::Value;
use thiserror::Error;

/// A layer list that describes no network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SpecError {
    /// Not JSON, not TOML, or not an object of `input` and `layers`.
    #[error("the layer list cannot be read: {0}")]
    Syntax(String),
    /// A layer that is wrong or does not fit the one before it, or a whole that is too large for the device.
    #[error(transparent)]
    Build(#[from] BuildError),
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
    /// A layer that cannot be put down as text.
    #[error("{0}")]
    NoText(String),
}

impl From<ShapeError> for SpecError {
    fn from(error: ShapeError) -> Self {
        Self::Build(error.into())
    }
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
    #[serde(serialize_with = "as_list")]
    layers: Sequential,
}

/// An input without its batch axis: (C, H, W) at most.
const MAX_INPUT_RANK: usize = 3;

fn extents<S: Serializer>(shape: &Shape, serializer: S) -> Result<S::Ok, S::Error> {
    shape.dims().serialize(serializer)
}

impl Spec {
    /// From its parts: the shape of one input, (C, H, W), (C, L) or (features), and the layers. They are checked by
    /// [`out_shape`](Self::out_shape) and [`build`](Self::build).
    pub fn new(input: impl Into<Shape>, layers: Sequential) -> Self {
        Self { input: input.into(), layers }
    }

    /// From JSON.
    ///
    /// # Errors
    /// With the line of a fault of JSON, or the layer of any other.
    pub fn from_json(text: &str) -> Result<Self, SpecError> {
        Self::parse(serde_json::from_str(text).map_err(|e| SpecError::Syntax(e.to_string()))?)
    }

    /// From TOML: `input = [3, 32, 32]` and `[[layers]]` tables.
    ///
    /// # Errors
    /// With the line of a fault of TOML, or the layer of any other.
    pub fn from_toml(text: &str) -> Result<Self, SpecError> {
        Self::parse(toml::from_str(text).map_err(|e| SpecError::Syntax(e.to_string()))?)
    }

    fn parse(value: Value) -> Result<Self, SpecError> {
        let syntax = |message: &str| SpecError::Syntax(message.to_owned());
        let Value::Object(mut object) = value else { return Err(syntax("an object with \"input\" and \"layers\" is expected")) };
        let input = object.remove("input").ok_or_else(|| syntax("\"input\": [C, H, W] is missing"))?;
        let input: Vec<usize> = serde_json::from_value(input).map_err(|e| syntax(&format!("\"input\" is not [C, H, W]: {e}")))?;
        if !(1..=MAX_INPUT_RANK).contains(&input.len()) {
            return Err(syntax(&format!("\"input\" is [C, H, W] or shorter, not {} numbers", input.len())));
        }
        let list = object.remove("layers").ok_or_else(|| syntax("\"layers\" is missing"))?;
        if let Some(key) = object.keys().next() {
            return Err(syntax(&format!("\"{key}\" is neither \"input\" nor \"layers\"")));
        }
        let Value::Array(list) = list else { return Err(syntax("\"layers\" is not a list")) };
        Ok(Self { input: Shape::new(&input), layers: layers("", list)?.into() })
    }

    /// As JSON on one line.
    ///
    /// # Errors
    /// If a layer is none of [`AnyLayer::KINDS`](crate::AnyLayer::KINDS), but of a type of your own.
    pub fn to_json(&self) -> Result<String, SpecError> {
        serde_json::to_string(self).map_err(|e| SpecError::NoText(e.to_string()))
    }

    /// One input: (C, H, W).
    pub fn input(&self) -> Shape {
        self.input
    }

    /// The layers.
    pub fn layers(&self) -> &Sequential {
        &self.layers
    }

    /// The shape that comes out for a batch of one.
    ///
    /// # Errors
    /// The first layer that does not fit.
    pub fn out_shape(&self) -> Result<Shape, SpecError> {
        Ok(self.plan()?.output())
    }

    /// Elements of all trainable parameters.
    ///
    /// # Errors
    /// The first layer that does not fit.
    pub fn parameters(&self) -> Result<u64, SpecError> {
        Ok(self.plan()?.parameters())
    }

    /// Its layers for a batch of one, without making the network.
    ///
    /// # Errors
    /// The first layer that does not fit.
    ///
    /// ```
    /// # use nn::zoo;
    /// let summary = zoo::spec("small-cnn", [3, 32, 32].into(), 10)?.summary()?;
    /// assert_eq!((summary.parameters, summary.multiply_adds), (106_730, 24_518_656));
    /// # Ok::<(), nn::SpecError>(())
    /// ```
    pub fn summary(&self) -> Result<Summary, SpecError> {
        Ok(Summary::planned(&self.plan()?))
    }

    fn plan(&self) -> Result<Plan, SpecError> {
        Ok(Plan::of_one(&self.layers, self.input)?.0)
    }

    /// Makes the network. Nothing is made unless all fits.
    ///
    /// # Errors
    /// The first layer that does not fit, or parameters that the device cannot take.
    pub fn build(&self, cx: &Init) -> Result<Net, SpecError> {
        Ok(self.layers.clone().build(cx, self.input)?)
    }
}
