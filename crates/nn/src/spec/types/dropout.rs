//! Noise in training.

use crate::spec::fields::probability;
use crate::spec::layer::LayerType;
use crate::spec::plan::{Input, Plan, Wrong};
use serde::{Deserialize, Serialize};

/// See [`crate::Dropout`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    pub p: f32,
}

impl LayerType for Dropout {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        Plan::of(crate::Dropout::new(probability("p", self.p)?), x)
    }
}

/// See [`crate::Dropout2d`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout2d {
    pub p: f32,
}

impl LayerType for Dropout2d {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        Plan::of(crate::Dropout2d::new(probability("p", self.p)?), x)
    }
}
