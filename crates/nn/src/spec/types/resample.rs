//! Images of another size without weights.

use crate::spec::fields::{Extent, real, size};
use crate::spec::layer::LayerType;
use crate::spec::plan::{Input, Plan, Wrong};
use serde::{Deserialize, Serialize};

/// See [`crate::Upsample`]; by a factor or to a size.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upsample {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Extent>,
    #[serde(default)]
    pub mode: Mode,
    #[serde(default)]
    pub align_corners: bool,
}

/// Where a pixel's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    #[default]
    Nearest,
    Bilinear,
}

impl LayerType for Upsample {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        let up = match (self.factor, self.size) {
            (Some(factor), None) => {
                // A factor is a decimal: 1.1 is not the f32 next to it.
                let factor = real("factor", factor, |v| v > 0.0 && v <= 65_535.0, "above 0 and at most 65535")?;
                crate::Upsample::by(crate::decimal::decimal(factor))
            }
            (None, Some(size)) => crate::Upsample::to(size.sizes("size")?),
            _ => return Err("one of `factor` and `size` is wanted".to_owned().into()),
        };
        match self.mode {
            Mode::Bilinear => Plan::of(up.bilinear(self.align_corners), x),
            Mode::Nearest if self.align_corners => Err("`align_corners` is for \"bilinear\"".to_owned().into()),
            Mode::Nearest => Plan::of(up, x),
        }
    }
}

/// See [`crate::PixelShuffle`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PixelShuffle {
    pub factor: usize,
}

impl LayerType for PixelShuffle {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        Plan::of(crate::PixelShuffle::new(size("factor", self.factor)?), x)
    }
}

/// See [`crate::PixelUnshuffle`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PixelUnshuffle {
    pub factor: usize,
}

impl LayerType for PixelUnshuffle {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        Plan::of(crate::PixelUnshuffle::new(size("factor", self.factor)?), x)
    }
}
