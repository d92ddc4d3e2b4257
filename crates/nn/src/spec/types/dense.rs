//! Vectors.

use crate::spec::fields::{default, size};
use crate::spec::layer::LayerType;
use crate::spec::plan::{Input, Plan, Wrong};
use serde::{Deserialize, Serialize};

/// See [`crate::Flatten`].
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flatten {}

impl LayerType for Flatten {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        Plan::of(crate::Flatten, x)
    }
}

/// See [`crate::Linear`]; `in` follows from the shapes unless given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    #[serde(rename = "in", default, skip_serializing_if = "Option::is_none")]
    pub input: Option<usize>,
    pub out: usize,
    #[serde(default = "default::yes")]
    pub bias: bool,
}

impl Linear {
    /// With a bias.
    pub fn new(out: usize) -> Self {
        Self { input: None, out, bias: true }
    }
}

impl LayerType for Linear {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        let (features, out, bias) = (x.features()?, size("out", self.out)?, self.bias);
        if let Some(input) = self.input.filter(|&i| i != features) {
            return Err(format!("`in` is {input}, but {features} features come in").into());
        }
        let plan = Plan::new([1, out], move |cx| {
            let linear = crate::Linear::new(cx, features, out);
            if bias { linear } else { linear.no_bias() }
        });
        plan.learns(&[out, features])?.learns(&[if bias { out } else { 0 }])
    }
}
