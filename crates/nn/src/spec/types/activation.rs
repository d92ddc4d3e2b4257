//! Element by element.

use crate::spec::fields::{count, real};
use crate::spec::layer::LayerType;
use crate::spec::plan::{Input, Plan, Wrong};
use serde::{Deserialize, Serialize};

without_fields! {
    Relu => crate::Relu,
    Relu6 => crate::Relu6,
    Selu => crate::Selu,
    Sigmoid => crate::Sigmoid,
    Hardsigmoid => crate::Hardsigmoid,
    Hardswish => crate::Hardswish,
    Tanh => crate::Tanh,
    Silu => crate::Silu,
    Gelu => crate::Gelu,
    GeluTanh => crate::GeluTanh,
    Mish => crate::Mish,
}

/// See [`crate::LeakyRelu`]; the slope is 0.01 unless given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LeakyRelu {
    pub slope: f32,
}

impl Default for LeakyRelu {
    fn default() -> Self {
        Self { slope: 0.01 }
    }
}

impl LayerType for LeakyRelu {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        Plan::of(crate::LeakyRelu::new(real("slope", self.slope, |_| true, "a number")?), x)
    }
}

/// See [`crate::Elu`]; alpha is 1 unless given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Elu {
    pub alpha: f32,
}

impl Default for Elu {
    fn default() -> Self {
        Self { alpha: 1.0 }
    }
}

impl LayerType for Elu {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        Plan::of(crate::Elu::new(real("alpha", self.alpha, |v| v >= 0.0, "a number of 0 or more")?), x)
    }
}

/// See [`crate::Softplus`]; beta is 1 and the threshold 20 unless given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Softplus {
    pub beta: f32,
    pub threshold: f32,
}

impl Default for Softplus {
    fn default() -> Self {
        Self { beta: 1.0, threshold: 20.0 }
    }
}

impl LayerType for Softplus {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        let beta = real("beta", self.beta, |v| v > 0.0, "a number above 0")?;
        Plan::of(crate::Softplus::new(beta, real("threshold", self.threshold, |_| true, "a number")?), x)
    }
}

/// See [`crate::Softmax`]; the axis is 1 unless given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Softmax {
    pub axis: usize,
}

impl Default for Softmax {
    fn default() -> Self {
        Self { axis: 1 }
    }
}

impl LayerType for Softmax {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        Plan::of(crate::Softmax::new(count("axis", self.axis)?), x)
    }
}

/// See [`crate::LogSoftmax`]; the axis is 1 unless given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSoftmax {
    pub axis: usize,
}

impl Default for LogSoftmax {
    fn default() -> Self {
        Self { axis: 1 }
    }
}

impl LayerType for LogSoftmax {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        Plan::of(crate::LogSoftmax::new(count("axis", self.axis)?), x)
    }
}

/// See [`crate::Scale`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    pub factor: f32,
}

impl LayerType for Scale {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        Plan::of(crate::Scale::new(real("factor", self.factor, |_| true, "a number")?), x)
    }
}
