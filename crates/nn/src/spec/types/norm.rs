//! Normalisations.

use crate::spec::fields::{default, real, size};
use crate::spec::layer::LayerType;
use crate::spec::plan::{Input, Plan, Wrong};
use serde::{Deserialize, Serialize};

fn eps(value: Option<f32>, otherwise: f32) -> Result<f32, Wrong> {
    real("eps", value.unwrap_or(otherwise), |v| v > 0.0, "a number above 0")
}

fn momentum(value: Option<f32>) -> Result<f32, Wrong> {
    real("momentum", value.unwrap_or(0.1), |v| (0.0..=1.0).contains(&v), "in 0 to 1")
}

/// What a scale and a shift for each of `elements` learn.
fn affine(plan: Plan, affine: bool, elements: usize) -> Result<Plan, Wrong> {
    plan.learns(&[if affine { 2 } else { 0 }, elements])
}

/// See [`crate::BatchNorm2d`]; `eps` is 1e-5 and `momentum` 0.1 unless given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchNorm2d {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eps: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f32>,
    #[serde(default = "default::yes", skip_serializing_if = "default::is_yes")]
    pub affine: bool,
    #[serde(default = "default::yes", skip_serializing_if = "default::is_yes")]
    pub tracked: bool,
}

impl Default for BatchNorm2d {
    fn default() -> Self {
        Self { eps: None, momentum: None, affine: true, tracked: true }
    }
}

impl LayerType for BatchNorm2d {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        let c = x.channels()?;
        if x.shape.rank() > 4 {
            return Err(format!("(N, C), (N, C, L) or (N, C, H, W) is expected, {} comes in", x.shape).into());
        }
        let (eps, momentum, has_affine, tracked) = (eps(self.eps, 1e-5)?, momentum(self.momentum)?, self.affine, self.tracked);
        if !tracked && x.shape.inner(2) == 1 {
            // Evaluation would normalise one value by itself wherever a batch is one image.
            return Err("one value a channel has no variance; keep running statistics (`tracked`)".to_owned().into());
        }
        let plan = Plan::new(x.shape, move |cx| {
            let norm = crate::BatchNorm2d::new(cx, c).eps(eps).momentum(momentum);
            let norm = if has_affine { norm } else { norm.no_affine() };
            if tracked { norm } else { norm.untracked() }
        });
        affine(plan, has_affine, c)
    }
}

/// See [`crate::DemeanNorm`]; `momentum` is 0.1 unless given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemeanNorm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f32>,
    #[serde(default = "default::yes")]
    pub affine: bool,
}

impl LayerType for DemeanNorm {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        let (c, momentum, has_affine) = (x.channels()?, momentum(self.momentum)?, self.affine);
        if x.shape.rank() > 4 {
            return Err(format!("(N, C), (N, C, L) or (N, C, H, W) is expected, {} comes in", x.shape).into());
        }
        let plan = Plan::new(x.shape, move |cx| {
            let norm = crate::DemeanNorm::new(cx, c).momentum(momentum);
            if has_affine { norm } else { norm.no_affine() }
        });
        affine(plan, has_affine, c)
    }
}

/// See [`crate::GroupNorm`]; `eps` is 1e-5 unless given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupNorm {
    pub groups: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eps: Option<f32>,
    #[serde(default = "default::yes")]
    pub affine: bool,
}

impl LayerType for GroupNorm {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        let (c, groups, eps, has_affine) = (x.channels()?, size("groups", self.groups)?, eps(self.eps, 1e-5)?, self.affine);
        if !c.is_multiple_of(groups) {
            return Err(format!("{groups} groups do not divide {c} channels").into());
        }
        let plan = Plan::new(x.shape, move |cx| {
            let norm = crate::GroupNorm::new(cx, groups, c).eps(eps);
            if has_affine { norm } else { norm.no_affine() }
        });
        affine(plan, has_affine, c)
    }
}

/// See [`crate::InstanceNorm1d`] and [`crate::InstanceNorm2d`]; `eps` is 1e-5 and `momentum` 0.1 unless given.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InstanceNorm {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eps: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f32>,
    pub affine: bool,
    pub tracked: bool,
}

impl InstanceNorm {
    fn planned<const AXES: usize>(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        let (c, eps, momentum) = (x.channels()?, eps(self.eps, 1e-5)?, momentum(self.momentum)?);
        let (has_affine, tracked) = (self.affine, self.tracked);
        let plan = Plan::new(x.shape, move |cx| {
            let norm = crate::InstanceNorm::<AXES>::new(cx, c).eps(eps).momentum(momentum);
            let norm = if has_affine { norm.affine(cx) } else { norm };
            if tracked { norm.tracked(cx) } else { norm }
        });
        affine(plan, has_affine, c)
    }
}

impl LayerType for InstanceNorm {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        match x.shape.rank() {
            3 => self.planned::<1>(x),
            4 => self.planned::<2>(x),
            _ => Err(format!("(N, C, L) or (N, C, H, W) is expected, {} comes in", x.shape).into()),
        }
    }
}

/// The last `axes` of a shape; all but the batch unless given.
fn last_axes(x: &Input<'_>, axes: Option<usize>) -> Result<Vec<usize>, Wrong> {
    let dims = x.shape.dims();
    match axes.unwrap_or(dims.len() - 1) {
        axes if (1..dims.len()).contains(&axes) => Ok(dims[dims.len() - axes..].to_vec()),
        _ => Err(format!("`axes` must be 1 to {} for {}", dims.len() - 1, x.shape).into()),
    }
}

/// See [`crate::LayerNorm`]; over all axes but the batch unless `axes` says over how many, and `eps` is 1e-5.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerNorm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub axes: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eps: Option<f32>,
    #[serde(default = "default::yes")]
    pub affine: bool,
    #[serde(default = "default::yes")]
    pub bias: bool,
}

impl LayerType for LayerNorm {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        let (last, eps, (has_affine, bias)) = (last_axes(x, self.axes)?, eps(self.eps, 1e-5)?, (self.affine, self.bias));
        let elements = last.iter().product();
        let plan = Plan::new(x.shape, move |cx| {
            let norm = crate::LayerNorm::new(cx, last.as_slice()).eps(eps);
            match (has_affine, bias) {
                (false, _) => norm.no_affine(),
                (true, false) => norm.no_bias(),
                (true, true) => norm,
            }
        });
        plan.learns(&[usize::from(has_affine) + usize::from(has_affine && bias), elements])
    }
}

/// See [`crate::RmsNorm`]; over all axes but the batch unless `axes` says over how many, and `eps` is that of f32.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RmsNorm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub axes: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eps: Option<f32>,
    #[serde(default = "default::yes")]
    pub affine: bool,
}

impl LayerType for RmsNorm {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        let (last, eps, has_affine) = (last_axes(x, self.axes)?, eps(self.eps, f32::EPSILON)?, self.affine);
        let elements = last.iter().product();
        let plan = Plan::new(x.shape, move |cx| {
            let norm = crate::RmsNorm::new(cx, last.as_slice()).eps(eps);
            if has_affine { norm } else { norm.no_affine() }
        });
        plan.learns(&[usize::from(has_affine), elements])
    }
}
