//! The register of layer types.

use super::parse::Fields;
use super::plan::{Input, Plan, Wrong};
use super::types;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

/// What a type of layer is: a struct of its fields that knows what they make of an input.
pub(super) trait LayerType: DeserializeOwned {
    /// Whether it fits such an input, and what it is then.
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong>;

    /// From the fields of a layer list; containers read their layers one by one, so that a fault has its place.
    fn parse(fields: Fields<'_>) -> Result<Self, Wrong> {
        fields.all()
    }
}

macro_rules! layer_types {
    ($($kind:literal => $type:ident),* $(,)?) => {
        /// A layer of a [`Spec`](super::Spec): what a layer list names by `type`.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(tag = "type")]
        pub enum Layer {
            $(
                #[doc = concat!("`", $kind, "`: a [`", stringify!($type), "`](crate::", stringify!($type), ").")]
                #[serde(rename = $kind)]
                $type(types::$type),
            )*
        }

        /// The types, as they are written.
        pub(super) const KINDS: &[&str] = &[$($kind),*];

        impl Layer {
            /// Its type, as it is written.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$type(_) => $kind,)*
                }
            }

            pub(super) fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
                match self {
                    $(Self::$type(layer) => layer.plan(x),)*
                }
            }

            pub(super) fn parse(kind: &str, fields: Fields<'_>) -> Result<Self, Wrong> {
                match kind {
                    $($kind => types::$type::parse(fields).map(Self::$type),)*
                    _ => Err(format!("unknown layer type `{kind}`; there are: {}", KINDS.join(", ")).into()),
                }
            }
        }

        $(
            impl From<types::$type> for Layer {
                fn from(layer: types::$type) -> Self {
                    Self::$type(layer)
                }
            }
        )*
    };
}

// One line a type: its name in layer lists, and its struct in `types/`, which has the layer's own name.
layer_types! {
    "conv2d" => Conv2d,
    "conv_transpose2d" => ConvTranspose2d,
    "whitening_conv2d" => WhiteningConv2d,
    "batch_norm" => BatchNorm2d,
    "relu" => Relu,
    "flatten" => Flatten,
    "global_avg_pool" => GlobalAvgPool,
    "max_pool2d" => MaxPool2d,
    "avg_pool2d" => AvgPool2d,
    "scale" => Scale,
    "dropout" => Dropout,
    "dropout2d" => Dropout2d,
    "linear" => Linear,
    "sequential" => Sequential,
    "residual" => Residual,
    "concat" => Concat,
}

impl<'de> Deserialize<'de> for Layer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::parse::layer("", serde_json::Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
