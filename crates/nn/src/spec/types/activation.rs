//! Element by element.

use crate::spec::fields::real;
use crate::spec::layer::LayerType;
use crate::spec::plan::{Input, Plan, Wrong};
use serde::{Deserialize, Serialize};

without_fields! {
    Relu => crate::Relu,
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
