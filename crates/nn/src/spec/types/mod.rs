//! The layer types: the fields of each, as a layer list writes them, and what they make of an input.
//!
//! Required numbers are the arguments of `new`; the rest is set by `Conv2d { stride: 2.into(), ..Conv2d::new(64, 3) }`.

#![allow(missing_docs, reason = "the fields are those of the layers")]

/// Types that have no fields, each made by an expression.
macro_rules! without_fields {
    ($($type:ident => $layer:expr),* $(,)?) => {
        $(
            #[doc = concat!("See [`crate::", stringify!($type), "`].")]
            #[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $type {}

            impl $crate::spec::layer::LayerType for $type {
                fn plan(&self, x: &$crate::spec::plan::Input<'_>) -> Result<$crate::spec::plan::Plan, $crate::spec::plan::Wrong> {
                    $crate::spec::plan::Plan::of($layer, x)
                }
            }
        )*
    };
}

mod activation;
mod container;
mod conv;
mod dense;
mod dropout;
#[cfg(test)]
pub(super) mod examples;
mod norm;
mod pool;
#[cfg(test)]
mod tests;

pub use activation::*;
pub use container::*;
pub use conv::*;
pub use dense::*;
pub use dropout::*;
pub use norm::*;
pub use pool::*;
