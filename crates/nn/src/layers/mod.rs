//! The layers: each a struct whose fields are its options in Rust, in layer lists and in the zoo alike.
//!
//! A layer over an operator that there is: a struct in a file of this folder, and one line in the register below.

mod activation;
mod affine;
mod batch_norm;
mod check;
mod concat;
mod conv;
mod default;
mod dropout;
pub(crate) mod examples;
mod fieldless;
mod linear;
mod norm;
mod pad;
pub(crate) mod parse;
mod pool;
mod resample;
mod residual;
mod sequential;
mod sizes;
#[cfg(test)]
mod tests;
mod whitening;

pub use batch_norm::BatchNorm;
pub use conv::{Conv, ConvTranspose};
pub use norm::InstanceNorm;
pub use pool::{AvgPool, MaxPool};
pub use sequential::IntoLayers;
pub(crate) use sequential::as_list;
pub use sizes::{Edges, Extents};

use crate::module::ShapeError;
use crate::net::AnyLayer;
use parse::{Fields, Parse};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// The register of layers: the name of each in layer lists, and its type.
macro_rules! layers {
    ($($kind:literal => $module:ident::$layer:ident),* $(,)?) => {
        $(pub use $module::$layer;)*

        impl AnyLayer {
            /// The names of all layers, as layer lists have them.
            pub const KINDS: &[&str] = &[$($kind),*];

            /// Its name in layer lists; the name of its type, if it is none of them.
            pub fn kind(&self) -> &'static str {
                let layer = self.described();
                $(if layer.as_any().is::<$layer>() {
                    return $kind;
                })*
                layer.type_name()
            }
        }

        /// As an object with `type` and the layer's fields.
        impl Serialize for AnyLayer {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let layer = self.described();
                $(if let Some(fields) = layer.downcast_ref::<$layer>() {
                    return Written { kind: $kind, fields }.serialize(serializer);
                })*
                let (name, kinds) = (layer.type_name(), Self::KINDS.join(", "));
                Err(serde::ser::Error::custom(format!("a layer of type {name} has no name in layer lists; there are: {kinds}")))
            }
        }

        fn parse_kind(kind: &str, fields: Fields) -> Result<AnyLayer, ShapeError> {
            match kind {
                $($kind => $layer::parse(fields).map(AnyLayer::new),)*
                _ => {
                    let kinds = AnyLayer::KINDS.join(", ");
                    Err(ShapeError::new(format!("unknown layer type `{kind}`; there are: {kinds}")))
                }
            }
        }
    };
}

layers! {
    "conv1d" => conv::Conv1d,
    "conv2d" => conv::Conv2d,
    "conv_transpose1d" => conv::ConvTranspose1d,
    "conv_transpose2d" => conv::ConvTranspose2d,
    "whitening_conv2d" => whitening::WhiteningConv2d,
    "batch_norm" => batch_norm::BatchNorm2d,
    "batch_norm1d" => batch_norm::BatchNorm1d,
    "demean_norm" => batch_norm::DemeanNorm,
    "group_norm" => norm::GroupNorm,
    "instance_norm" => norm::AnyInstanceNorm,
    "instance_norm1d" => norm::InstanceNorm1d,
    "instance_norm2d" => norm::InstanceNorm2d,
    "layer_norm" => norm::LayerNorm,
    "rms_norm" => norm::RmsNorm,
    "relu" => activation::Relu,
    "relu6" => activation::Relu6,
    "leaky_relu" => activation::LeakyRelu,
    "elu" => activation::Elu,
    "selu" => activation::Selu,
    "gelu" => activation::Gelu,
    "gelu_tanh" => activation::GeluTanh,
    "silu" => activation::Silu,
    "mish" => activation::Mish,
    "hardswish" => activation::Hardswish,
    "softplus" => activation::Softplus,
    "softsign" => activation::Softsign,
    "tanh" => activation::Tanh,
    "sigmoid" => activation::Sigmoid,
    "hardsigmoid" => activation::Hardsigmoid,
    "softmax" => activation::Softmax,
    "log_softmax" => activation::LogSoftmax,
    "scale" => activation::Scale,
    "max_pool1d" => pool::MaxPool1d,
    "max_pool2d" => pool::MaxPool2d,
    "avg_pool1d" => pool::AvgPool1d,
    "avg_pool2d" => pool::AvgPool2d,
    "adaptive_avg_pool2d" => pool::AdaptiveAvgPool2d,
    "adaptive_max_pool2d" => pool::AdaptiveMaxPool2d,
    "global_avg_pool" => pool::GlobalAvgPool,
    "global_max_pool" => pool::GlobalMaxPool,
    "upsample" => resample::Upsample,
    "zero_pad2d" => pad::ZeroPad2d,
    "reflection_pad2d" => pad::ReflectionPad2d,
    "pixel_shuffle" => resample::PixelShuffle,
    "pixel_unshuffle" => resample::PixelUnshuffle,
    "dropout" => dropout::Dropout,
    "dropout1d" => dropout::Dropout1d,
    "dropout2d" => dropout::Dropout2d,
    "alpha_dropout" => dropout::AlphaDropout,
    "feature_alpha_dropout" => dropout::FeatureAlphaDropout,
    "gaussian_noise" => dropout::GaussianNoise,
    "bernoulli_keep" => dropout::BernoulliKeep,
    "flatten" => activation::Flatten,
    "linear" => linear::Linear,
    "sequential" => sequential::Sequential,
    "residual" => residual::Residual,
    "concat" => concat::Concat,
}

/// A layer as text.
#[derive(Serialize)]
struct Written<'a, L> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    fields: &'a L,
}

impl AnyLayer {
    /// From an object with `type` and the layer's fields.
    pub(crate) fn parse(value: Value) -> Result<Self, ShapeError> {
        let no_type = |message: String| Err(ShapeError::new(message).of("no type"));
        let Value::Object(mut map) = value else {
            return no_type(format!("an object with \"type\" is expected, not {value}"));
        };
        match map.remove("type") {
            Some(Value::String(kind)) => parse_kind(&kind, Fields(map)).map_err(|e| e.of(&kind)),
            _ => no_type("\"type\" is missing, the name of a layer type".to_owned()),
        }
    }
}

impl<'de> Deserialize<'de> for AnyLayer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
