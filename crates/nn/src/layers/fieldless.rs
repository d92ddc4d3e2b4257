//! Layers without fields: a name says it all.

use serde::{Deserialize, Serialize};

/// What a layer list may say of such a layer, its type apart.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoFields {}

/// The struct of a layer without fields: `Relu` is a value, and `{"type": "relu"}` in a layer list.
macro_rules! fieldless {
    ($(#[$doc:meta])* $layer:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
        #[serde(from = "super::fieldless::NoFields", into = "super::fieldless::NoFields")]
        pub struct $layer;

        impl From<super::fieldless::NoFields> for $layer {
            fn from(_: super::fieldless::NoFields) -> Self {
                Self
            }
        }

        impl From<$layer> for super::fieldless::NoFields {
            fn from(_: $layer) -> Self {
                Self {}
            }
        }
    };
}
pub(super) use fieldless;
