//! The layers: each a struct whose fields are its options in Rust, in layer lists and in the zoo alike.
//!
//! A layer over an operator that there is: a struct in a file of this folder, and one row in the register below.

mod activation;
mod affine;
mod batch_norm;
mod check;
mod concat;
mod conv;
mod default;
mod dropout;
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

/// The register of layers: the name of each in layer lists, its type, and examples: the shape of an input, and fields that are not at
/// their defaults.
macro_rules! layers {
    ($($kind:literal => $module:ident::$layer:ident { $($input:tt $($fields:literal)?),+ $(,)? }),* $(,)?) => {
        $(pub use $module::$layer;)*

        impl AnyLayer {
            /// The names of all layers, as layer lists have them.
            pub const KINDS: &[&str] = &[$($kind),*];

            /// Examples of every kind: the shape of an input without the batch, and the layer in JSON.
            ///
            /// ```
            /// for (input, layer) in nn::AnyLayer::EXAMPLES {
            ///     let spec = nn::Spec::from_json(&format!("{{\"input\": {input:?}, \"layers\": [{layer}]}}")).unwrap();
            ///     assert!(spec.out_shape().is_ok());
            /// }
            /// ```
            pub const EXAMPLES: &[(&[usize], &str)] =
                &[$($((&$input, concat!("{\"type\": \"", $kind, "\"" $(, ", ", $fields)?, "}"))),+),*];

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
    "conv1d" => conv::Conv1d {
        [4, 9] r#""out": 6, "kernel": 3, "stride": 2, "padding": [2, 1], "dilation": 2, "groups": 2, "bias": false"#,
        [4, 9] r#""out": 6, "kernel": 4, "padding": "same""#,
    },
    "conv2d" => conv::Conv2d {
        [4, 9, 8] r#""out": 6, "kernel": [3, 2], "stride": [2, 1], "padding": [1, 0, 2, 1], "dilation": 2, "groups": 2, "bias": false"#,
        [3, 5, 4] r#""out": 4, "kernel": 3, "dirac": true"#,
    },
    "conv_transpose1d" => conv::ConvTranspose1d {
        [4, 5] r#""out": 6, "kernel": 3, "stride": 2, "padding": 1, "output_padding": 1, "dilation": 2, "groups": 2, "bias": false"#,
    },
    "conv_transpose2d" => conv::ConvTranspose2d {
        [4, 5, 4] r#""out": 6, "kernel": [3, 2], "stride": 2, "padding": [1, 0], "output_padding": [0, 1], "dilation": [1, 2], "groups": 2, "bias": false"#,
    },
    "whitening_conv2d" => whitening::WhiteningConv2d { [3, 4, 5] r#""kernel": [3, 2]"# },
    "batch_norm" => batch_norm::BatchNorm2d {
        [3, 4, 5] r#""eps": 0.001, "momentum": 0.3"#,
        [3, 4, 5] r#""affine": false, "tracked": false"#,
    },
    "batch_norm1d" => batch_norm::BatchNorm1d { [3, 4] r#""momentum": 0.3"# },
    "demean_norm" => batch_norm::DemeanNorm { [3, 4, 5] r#""momentum": 0.3, "affine": false"#, [3, 4, 5] },
    "group_norm" => norm::GroupNorm { [4, 4, 5] r#""groups": 2, "eps": 0.001, "affine": false"#, [4, 5] r#""groups": 2"# },
    "instance_norm" => norm::AnyInstanceNorm { [3, 4] r#""eps": 0.001, "momentum": 0.3, "affine": true, "tracked": true"#, [3, 4, 5] },
    "instance_norm1d" => norm::InstanceNorm1d { [3, 4] r#""affine": true"# },
    "instance_norm2d" => norm::InstanceNorm2d { [3, 4, 5] r#""tracked": true"# },
    "layer_norm" => norm::LayerNorm { [3, 4, 5] r#""axes": 2, "eps": 0.001, "affine": false"#, [3, 4] r#""bias": false"#, [3, 4, 5] },
    "rms_norm" => norm::RmsNorm { [3, 4, 5] r#""axes": 1, "eps": 0.001, "affine": false"#, [7] },
    "relu" => activation::Relu { [3, 4, 5] },
    "relu6" => activation::Relu6 { [3, 4, 5] },
    "leaky_relu" => activation::LeakyRelu { [3, 4, 5] r#""slope": 0.2"# },
    "elu" => activation::Elu { [3, 4, 5] r#""alpha": 0.5"# },
    "selu" => activation::Selu { [3, 4, 5] },
    "gelu" => activation::Gelu { [3, 4, 5] },
    "gelu_tanh" => activation::GeluTanh { [3, 4, 5] },
    "silu" => activation::Silu { [3, 4, 5] },
    "mish" => activation::Mish { [3, 4, 5] },
    "hardswish" => activation::Hardswish { [3, 4, 5] },
    "softplus" => activation::Softplus { [3, 4, 5] r#""beta": 2, "threshold": 10"# },
    "softsign" => activation::Softsign { [3, 4, 5] },
    "tanh" => activation::Tanh { [3, 4, 5] },
    "sigmoid" => activation::Sigmoid { [3, 4, 5] },
    "hardsigmoid" => activation::Hardsigmoid { [3, 4, 5] },
    "softmax" => activation::Softmax { [3, 4, 5] r#""axis": 2"# },
    "log_softmax" => activation::LogSoftmax { [3, 4, 5] r#""axis": 2"# },
    "scale" => activation::Scale { [3, 4, 5] r#""factor": -0.25"# },
    "max_pool1d" => pool::MaxPool1d { [3, 9] r#""kernel": 3, "stride": 2, "padding": 1, "dilation": 2, "ceil_mode": true"# },
    "max_pool2d" => pool::MaxPool2d {
        [3, 9, 8] r#""kernel": [3, 2], "stride": [2, 1], "padding": [1, 0], "dilation": [2, 1], "ceil_mode": true"#,
    },
    "avg_pool1d" => pool::AvgPool1d { [3, 9] r#""kernel": 3, "stride": 2, "padding": 1, "ceil_mode": true, "count_include_pad": false"# },
    "avg_pool2d" => pool::AvgPool2d {
        [3, 9, 8] r#""kernel": [3, 2], "stride": [2, 1], "padding": [1, 0], "ceil_mode": true, "count_include_pad": false"#,
        [3, 9, 8] r#""kernel": 2, "divisor": 3"#,
    },
    "adaptive_avg_pool2d" => pool::AdaptiveAvgPool2d { [3, 9, 8] r#""size": [2, 3]"# },
    "adaptive_max_pool2d" => pool::AdaptiveMaxPool2d { [3, 9, 8] r#""size": [2, 3]"# },
    "global_avg_pool" => pool::GlobalAvgPool { [3, 4, 5] },
    "global_max_pool" => pool::GlobalMaxPool { [3, 4, 5] },
    "upsample" => resample::Upsample {
        [3, 4, 5] r#""factor": 2.5"#,
        [3, 4, 5] r#""size": [7, 3], "mode": "bilinear", "align_corners": true"#,
    },
    "zero_pad2d" => pad::ZeroPad2d { [3, 4, 5] r#""padding": [1, 0, 2, 3]"# },
    "reflection_pad2d" => pad::ReflectionPad2d { [3, 4, 5] r#""padding": [1, 3, 2, 0]"# },
    "pixel_shuffle" => resample::PixelShuffle { [8, 4, 5] r#""factor": 2"# },
    "pixel_unshuffle" => resample::PixelUnshuffle { [3, 4, 6] r#""factor": 2"# },
    "dropout" => dropout::Dropout { [3, 4, 5] r#""p": 0.3"# },
    "dropout1d" => dropout::Dropout1d { [3, 4] r#""p": 0.3"# },
    "dropout2d" => dropout::Dropout2d { [3, 4, 5] r#""p": 0.3"# },
    "alpha_dropout" => dropout::AlphaDropout { [3, 4, 5] r#""p": 0.3"# },
    "feature_alpha_dropout" => dropout::FeatureAlphaDropout { [3, 4, 5] r#""p": 0.3"# },
    "gaussian_noise" => dropout::GaussianNoise { [3, 4, 5] r#""mean": 0.5, "sigma": 0.1"# },
    "bernoulli_keep" => dropout::BernoulliKeep { [3, 4, 5] r#""keep": 0.7"# },
    "flatten" => activation::Flatten { [3, 4, 5] },
    "linear" => linear::Linear { [7] r#""in": 7, "out": 3, "bias": false"# },
    "sequential" => sequential::Sequential { [3, 4, 5] r#""layers": [{"type": "conv2d", "out": 2, "kernel": 3}, {"type": "relu"}]"# },
    "residual" => residual::Residual {
        [3, 4, 5] r#""body": [{"type": "conv2d", "out": 2, "kernel": 1}], "shortcut": [{"type": "conv2d", "out": 2, "kernel": 1}]"#,
    },
    "concat" => concat::Concat { [3, 4, 5] r#""branches": [[], [{"type": "conv2d", "out": 2, "kernel": 1}, {"type": "relu"}]]"# },
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
