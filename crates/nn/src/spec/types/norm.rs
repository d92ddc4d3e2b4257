//! Normalisations.

use crate::spec::fields::real;
use crate::spec::layer::LayerType;
use crate::spec::plan::{Input, Plan, Wrong};
use serde::{Deserialize, Serialize};

/// See [`crate::BatchNorm2d`]; `eps` is 1e-5 and `momentum` 0.1 unless given.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchNorm2d {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eps: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f32>,
}

impl LayerType for BatchNorm2d {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        let c = x.channels()?;
        if x.shape.rank() > 4 {
            return Err(format!("(N, C), (N, C, L) or (N, C, H, W) is expected, {} comes in", x.shape).into());
        }
        let eps = real("eps", self.eps.unwrap_or(1e-5), |v| v > 0.0, "a number above 0")?;
        let momentum = real("momentum", self.momentum.unwrap_or(0.1), |v| (0.0..=1.0).contains(&v), "in 0 to 1")?;
        let plan = Plan::new(x.shape, move |cx| crate::BatchNorm2d::new(cx, c).eps(eps).momentum(momentum));
        plan.learns(&[2, c])
    }
}
