//! Noise in training.

use crate::spec::fields::{probability, real};
use crate::spec::layer::LayerType;
use crate::spec::plan::{Input, Plan, Wrong};
use serde::{Deserialize, Serialize};

/// Types whose only field is a probability.
macro_rules! of_probability {
    ($($type:ident $p:ident),* $(,)?) => {
        $(
            #[doc = concat!("See [`crate::", stringify!($type), "`].")]
            #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $type {
                pub $p: f32,
            }

            impl LayerType for $type {
                fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
                    Plan::of(crate::$type::new(probability(stringify!($p), self.$p)?), x)
                }
            }
        )*
    };
}

of_probability! {
    Dropout p,
    Dropout1d p,
    Dropout2d p,
    AlphaDropout p,
    FeatureAlphaDropout p,
    BernoulliKeep keep,
}

/// See [`crate::GaussianNoise`]; the mean is 1 unless given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaussianNoise {
    #[serde(default = "one")]
    pub mean: f32,
    pub sigma: f32,
}

fn one() -> f32 {
    1.0
}

impl LayerType for GaussianNoise {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        let mean = real("mean", self.mean, |_| true, "a number")?;
        Plan::of(crate::GaussianNoise::new(mean, real("sigma", self.sigma, |v| v >= 0.0, "a number of 0 or more")?), x)
    }
}
