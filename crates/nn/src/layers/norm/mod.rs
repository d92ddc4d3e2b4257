//! Normalisation within a sample: over the last axes, over groups of channels, over single channels.

#[cfg(test)]
mod tests;

use super::affine::Affine;
use super::check::{axes, channels, expect, positive, probability, size, wrong};
use super::default;
use crate::autograd::Var;
use crate::init::Fill;
use crate::module::ShapeError;
use crate::net::{Layer, Params, Plan};
use gpu_core::Shape;
use serde::{Deserialize, Serialize};

/// The last `axes` of an input; all but the batch unless given.
fn last_axes(input: Shape, axes: Option<usize>) -> Result<Shape, ShapeError> {
    let dims = input.dims();
    match axes.unwrap_or(dims.len().saturating_sub(1)) {
        axes if (1..dims.len()).contains(&axes) => Ok(Shape::new(&dims[dims.len() - axes..])),
        _ if dims.len() < 2 => wrong(format!("{input} has nothing behind the batch axis")),
        _ => wrong(format!("`axes` must be 1 to {} for {input}", dims.len() - 1)),
    }
}

/// Normalises over the last axes, then scales and shifts each of their elements. Equivalent of `torch.nn.LayerNorm`.
///
/// ```
/// # use gpu_core::{Device, Tensor};
/// # use nn::{Init, Layer, LayerNorm, Var};
/// let norm = LayerNorm::new().build(&Init::seeded(&Device::Cpu, 0), [2])?;
/// let x = Tensor::from_slice(&Device::Cpu, [2, 2], &[10.0f32, 30.0, 7.0, 5.0]);
/// let y = norm.forward(&Var::constant(&x)).value().to_vec()?;
/// assert!(y.iter().zip([-1.0, 1.0, 1.0, -1.0]).all(|(y, want)| (y - want).abs() < 1e-4));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LayerNorm {
    #[serde(skip_serializing_if = "Option::is_none")]
    axes: Option<usize>,
    eps: f32,
    affine: bool,
    bias: bool,
}

impl Default for LayerNorm {
    fn default() -> Self {
        Self { axes: None, eps: default::eps(), affine: true, bias: true }
    }
}

impl LayerNorm {
    /// Over all axes but the batch; eps 1e-5.
    pub fn new() -> Self {
        Self::default()
    }

    /// Over so many of the last axes. PyTorch's `normalized_shape` has their extents.
    pub fn axes(self, axes: usize) -> Self {
        Self { axes: Some(axes), ..self }
    }

    /// What is added to the variance.
    pub fn eps(self, eps: f32) -> Self {
        Self { eps, ..self }
    }

    /// Nothing scales and shifts. PyTorch's `elementwise_affine=False`.
    pub fn no_affine(self) -> Self {
        Self { affine: false, ..self }
    }

    /// Nothing shifts. PyTorch's `bias=False`.
    pub fn no_bias(self) -> Self {
        Self { bias: false, ..self }
    }
}

impl Layer for LayerNorm {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        let last = last_axes(input, self.axes)?;
        positive("eps", self.eps)?;
        let affine = Affine::of(self.affine, self.affine && self.bias);
        Ok(affine.declare(Plan::new(format!("LayerNorm {last}{affine}"), input), last))
    }

    #[track_caller]
    fn forward(&self, x: &Var, p: &Params<'_>) -> Var {
        x.layer_norm(p.shape("weight"), p.optional("weight").as_ref(), p.optional("bias").as_ref(), self.eps)
    }
}

/// Divides by the root mean square of the last axes, then scales each of their elements. Equivalent of `torch.nn.RMSNorm`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RmsNorm {
    #[serde(skip_serializing_if = "Option::is_none")]
    axes: Option<usize>,
    eps: f32,
    affine: bool,
}

/// As `torch.nn.RMSNorm` takes it.
impl Default for RmsNorm {
    fn default() -> Self {
        Self { axes: None, eps: f32::EPSILON, affine: true }
    }
}

impl RmsNorm {
    /// Over all axes but the batch; eps `f32::EPSILON`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Over so many of the last axes. PyTorch's `normalized_shape` has their extents.
    pub fn axes(self, axes: usize) -> Self {
        Self { axes: Some(axes), ..self }
    }

    /// What is added to the mean of squares.
    pub fn eps(self, eps: f32) -> Self {
        Self { eps, ..self }
    }

    /// Nothing scales. PyTorch's `elementwise_affine=False`.
    pub fn no_affine(self) -> Self {
        Self { affine: false, ..self }
    }
}

impl Layer for RmsNorm {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        let last = last_axes(input, self.axes)?;
        positive("eps", self.eps)?;
        let affine = if self.affine { "" } else { ", no affine" };
        Ok(Affine::of(self.affine, false).declare(Plan::new(format!("RmsNorm {last}{affine}"), input), last))
    }

    #[track_caller]
    fn forward(&self, x: &Var, p: &Params<'_>) -> Var {
        x.rms_norm(p.shape("weight"), p.optional("weight").as_ref(), self.eps)
    }
}

/// Normalises groups of channels of each sample, then scales and shifts channels. Equivalent of `torch.nn.GroupNorm`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupNorm {
    groups: usize,
    #[serde(default = "default::eps")]
    eps: f32,
    #[serde(default = "default::yes")]
    affine: bool,
}

impl GroupNorm {
    /// In `groups` groups, which divide the channels; eps 1e-5.
    pub fn new(groups: usize) -> Self {
        Self { groups, eps: default::eps(), affine: true }
    }

    /// What is added to the variance.
    pub fn eps(self, eps: f32) -> Self {
        Self { eps, ..self }
    }

    /// Nothing scales and shifts. PyTorch's `affine=False`.
    pub fn no_affine(self) -> Self {
        Self { affine: false, ..self }
    }
}

impl Layer for GroupNorm {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        let (c, groups) = (channels(input)?, self.groups);
        size("groups", groups)?;
        positive("eps", self.eps)?;
        expect(c.is_multiple_of(groups), || format!("{groups} groups do not divide {c} channels (x {input})"))?;
        let affine = Affine::of(self.affine, self.affine);
        Ok(affine.declare(Plan::new(format!("GroupNorm {c} in {groups}{affine}"), input), [c]))
    }

    #[track_caller]
    fn forward(&self, x: &Var, p: &Params<'_>) -> Var {
        x.group_norm(self.groups, p.optional("weight").as_ref(), p.optional("bias").as_ref(), self.eps)
    }
}

/// Normalises each channel of each sample: [`InstanceNorm1d`], [`InstanceNorm2d`] and [`AnyInstanceNorm`]. As in PyTorch, nothing scales and shifts and no statistics are kept unless asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceNorm<const AXES: usize> {
    #[serde(default = "default::eps")]
    eps: f32,
    #[serde(default = "default::momentum")]
    momentum: f32,
    #[serde(default)]
    affine: bool,
    #[serde(default)]
    tracked: bool,
}

/// For (N, C, L). Equivalent of `torch.nn.InstanceNorm1d`.
pub type InstanceNorm1d = InstanceNorm<1>;
/// For (N, C, H, W). Equivalent of `torch.nn.InstanceNorm2d`.
pub type InstanceNorm2d = InstanceNorm<2>;

/// For (N, C, L) or (N, C, H, W), as the input has it.
pub type AnyInstanceNorm = InstanceNorm<0>;

impl<const AXES: usize> Default for InstanceNorm<AXES> {
    fn default() -> Self {
        Self { eps: default::eps(), momentum: default::momentum(), affine: false, tracked: false }
    }
}

impl<const AXES: usize> InstanceNorm<AXES> {
    /// Momentum 0.1 and eps 1e-5.
    pub fn new() -> Self {
        Self::default()
    }

    /// Scales and shifts channels. PyTorch's `affine=True`.
    pub fn affine(self) -> Self {
        Self { affine: true, ..self }
    }

    /// Keeps running statistics, by which evaluation normalises. PyTorch's `track_running_stats=True`.
    pub fn tracked(self) -> Self {
        Self { tracked: true, ..self }
    }

    /// The weight of the newest batch in the running values.
    pub fn momentum(self, momentum: f32) -> Self {
        Self { momentum, ..self }
    }

    /// What is added to the variance.
    pub fn eps(self, eps: f32) -> Self {
        Self { eps, ..self }
    }
}

impl<const AXES: usize> Layer for InstanceNorm<AXES> {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        let (fits, wanted) = match AXES {
            0 => ((3..=4).contains(&input.rank()), "(N, C, L) or (N, C, H, W)"),
            _ => (input.rank() == 2 + AXES, axes(AXES)),
        };
        expect(fits, || format!("{wanted} is expected, {input} comes in"))?;
        positive("eps", self.eps)?;
        probability("momentum", self.momentum)?;
        let has_variance = self.tracked || input.inner(2) != 1;
        expect(has_variance, || "one value a channel of a sample has no variance; keep running statistics (`tracked`)".to_owned())?;
        let (c, affine) = (input.c(), Affine::of(self.affine, self.affine));
        let [affine_word, tracked] =
            [(self.affine, ", affine"), (self.tracked, ", tracked")].map(|(on, word)| if on { word } else { "" });
        let plan = affine.declare(Plan::new(format!("InstanceNorm{}d {c}{affine_word}{tracked}", input.rank() - 2), input), [c]);
        Ok(match self.tracked {
            true => plan.buffer("running_mean", [c], Fill::Constant(0.0)).buffer("running_var", [c], Fill::Constant(1.0)),
            false => plan,
        })
    }

    #[track_caller]
    fn forward(&self, x: &Var, p: &Params<'_>) -> Var {
        let [gamma, beta] = ["weight", "bias"].map(|name| p.optional(name));
        if !self.tracked {
            return x.instance_norm(gamma.as_ref(), beta.as_ref(), self.eps);
        }
        let names = ["running_mean", "running_var"];
        if p.updates(names[0]) {
            let [(mean, momentum), (var, _)] = names.map(|name| p.moved(name, self.momentum));
            return x.instance_norm_tracked(gamma.as_ref(), beta.as_ref(), &mean, &var, momentum, self.eps);
        }
        let [mean, var] = names.map(|name| p.value(name));
        x.batch_norm_eval(&p.var("weight"), &p.var("bias"), &mean, &var, self.eps)
    }
}
