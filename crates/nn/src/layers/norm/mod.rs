//! Normalisation within a sample: over the last axes, over groups of channels, over single channels.

#[cfg(test)]
mod tests;

use super::affine::Affine;
use super::batch_norm::buffer;
use crate::init::Init;
use crate::module::{Module, Parameters, ShapeError, join};
use crate::param::Param;
use crate::var::Var;
use gpu_core::Shape;

/// Normalises over the last axes, then scales and shifts each of their elements. Equivalent of `torch.nn.LayerNorm`.
///
/// ```
/// # use gpu_core::{Device, Tensor};
/// # use nn::{Init, LayerNorm, Module, Var};
/// let norm = LayerNorm::new(&Init::seeded(&Device::Cpu, 0), [2]);
/// let x = Tensor::from_slice(&Device::Cpu, [2, 2], &[10.0f32, 30.0, 7.0, 5.0]);
/// let y = norm.forward(&Var::constant(&x)).value().to_vec()?;
/// assert!(y.iter().zip([-1.0, 1.0, 1.0, -1.0]).all(|(y, want)| (y - want).abs() < 1e-4));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[derive(Debug)]
pub struct LayerNorm {
    affine: Affine,
    eps: f32,
}

/// `input` ends with the axes `last`, and has more.
fn expect_last(layer: &str, last: Shape, input: Shape) -> Result<Shape, ShapeError> {
    match input.rank() > last.rank() && input.dims().ends_with(last.dims()) {
        true => Ok(input),
        false => Err(ShapeError::new(format!("{layer}: {last} is expected behind the batch, {input} comes in"))),
    }
}

impl LayerNorm {
    /// Over the last axes `normalized`; eps 1e-5.
    pub fn new(cx: &Init, normalized: impl Into<Shape>) -> Self {
        Self { affine: Affine::new(cx, normalized), eps: 1e-5 }
    }

    /// What is added to the variance.
    pub fn eps(self, eps: f32) -> Self {
        Self { eps, ..self }
    }

    /// Nothing scales and shifts. PyTorch's `elementwise_affine=False`.
    pub fn no_affine(self) -> Self {
        Self { affine: self.affine.none(), ..self }
    }

    /// Nothing shifts. PyTorch's `bias=False`.
    pub fn no_bias(self) -> Self {
        Self { affine: self.affine.no_beta(), ..self }
    }
}

impl Parameters for LayerNorm {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param)) {
        self.affine.visit(path, f);
    }
}

impl Module for LayerNorm {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        let [gamma, beta] = self.affine.given(x);
        x.layer_norm(self.affine.shape(), gamma.as_ref(), beta.as_ref(), self.eps)
    }

    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        expect_last("layer_norm", self.affine.shape(), input)
    }

    fn describe(&self) -> String {
        format!("LayerNorm {}{}", self.affine.shape(), self.affine.describe())
    }
}

/// Divides by the root mean square of the last axes, then scales each of their elements. Equivalent of `torch.nn.RMSNorm`.
#[derive(Debug)]
pub struct RmsNorm {
    affine: Affine,
    eps: f32,
}

impl RmsNorm {
    /// Over the last axes `normalized`; eps `f32::EPSILON`, as `torch.nn.RMSNorm` takes it.
    pub fn new(cx: &Init, normalized: impl Into<Shape>) -> Self {
        Self { affine: Affine::new(cx, normalized).no_beta(), eps: f32::EPSILON }
    }

    /// What is added to the mean of squares.
    pub fn eps(self, eps: f32) -> Self {
        Self { eps, ..self }
    }

    /// Nothing scales. PyTorch's `elementwise_affine=False`.
    pub fn no_affine(self) -> Self {
        Self { affine: self.affine.none(), ..self }
    }
}

impl Parameters for RmsNorm {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param)) {
        self.affine.visit(path, f);
    }
}

impl Module for RmsNorm {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        let [gamma, _] = self.affine.given(x);
        x.rms_norm(self.affine.shape(), gamma.as_ref(), self.eps)
    }

    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        expect_last("rms_norm", self.affine.shape(), input)
    }

    fn describe(&self) -> String {
        let affine = if self.affine.describe() == ", no affine" { ", no affine" } else { "" };
        format!("RmsNorm {}{affine}", self.affine.shape())
    }
}

/// Normalises groups of channels of each sample, then scales and shifts channels. Equivalent of `torch.nn.GroupNorm`.
#[derive(Debug)]
pub struct GroupNorm {
    affine: Affine,
    groups: usize,
    eps: f32,
}

impl GroupNorm {
    /// `channels` channels in `groups` groups; eps 1e-5.
    ///
    /// # Panics
    /// If the groups do not divide the channels.
    #[track_caller]
    pub fn new(cx: &Init, groups: usize, channels: usize) -> Self {
        assert!(groups > 0 && channels.is_multiple_of(groups), "group_norm: {groups} groups do not divide {channels} channels");
        Self { affine: Affine::new(cx, [channels]), groups, eps: 1e-5 }
    }

    /// What is added to the variance.
    pub fn eps(self, eps: f32) -> Self {
        Self { eps, ..self }
    }

    /// Nothing scales and shifts. PyTorch's `affine=False`.
    pub fn no_affine(self) -> Self {
        Self { affine: self.affine.none(), ..self }
    }
}

impl Parameters for GroupNorm {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param)) {
        self.affine.visit(path, f);
    }
}

impl Module for GroupNorm {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        let [gamma, beta] = self.affine.given(x);
        x.group_norm(self.groups, gamma.as_ref(), beta.as_ref(), self.eps)
    }

    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        let channels = self.affine.shape().len();
        if input.rank() < 2 || input.c() != channels {
            return Err(ShapeError::new(format!("group_norm: {channels} channels are expected at axis 1 of {input}")));
        }
        Ok(input)
    }

    fn describe(&self) -> String {
        format!("GroupNorm {} in {}{}", self.affine.shape().len(), self.groups, self.affine.describe())
    }
}

/// Normalises each channel of each sample: [`InstanceNorm1d`] and [`InstanceNorm2d`]. As in PyTorch, nothing scales and shifts and no
/// statistics are kept unless asked for.
#[derive(Debug)]
pub struct InstanceNorm<const AXES: usize> {
    affine: Affine,
    running: Option<[Param; 2]>,
    momentum: f32,
    eps: f32,
}

/// For (N, C, L). Equivalent of `torch.nn.InstanceNorm1d`.
pub type InstanceNorm1d = InstanceNorm<1>;
/// For (N, C, H, W). Equivalent of `torch.nn.InstanceNorm2d`.
pub type InstanceNorm2d = InstanceNorm<2>;

impl<const AXES: usize> InstanceNorm<AXES> {
    /// For `channels` channels; momentum 0.1 and eps 1e-5.
    pub fn new(cx: &Init, channels: usize) -> Self {
        Self { affine: Affine::new(cx, [channels]).none(), running: None, momentum: 0.1, eps: 1e-5 }
    }

    /// Scales and shifts channels. PyTorch's `affine=True`.
    pub fn affine(self, cx: &Init) -> Self {
        Self { affine: Affine::new(cx, self.affine.shape()), ..self }
    }

    /// Keeps running statistics, by which evaluation normalises. PyTorch's `track_running_stats=True`.
    pub fn tracked(self, cx: &Init) -> Self {
        let channels = self.affine.shape().len();
        Self { running: Some([buffer(cx, channels, 0.0), buffer(cx, channels, 1.0)]), ..self }
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

impl<const AXES: usize> Parameters for InstanceNorm<AXES> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param)) {
        self.affine.visit(path, f);
        if let Some([mean, var]) = &self.running {
            f(&join(path, "running_mean"), mean);
            f(&join(path, "running_var"), var);
        }
    }
}

impl<const AXES: usize> Module for InstanceNorm<AXES> {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        let [gamma, beta] = self.affine.given(x);
        let Some(running) = &self.running else {
            return x.instance_norm(gamma.as_ref(), beta.as_ref(), self.eps);
        };
        let [mean, var] = running.each_ref().map(Param::value);
        if running[0].is_updated_by(x) {
            return x.instance_norm_tracked(gamma.as_ref(), beta.as_ref(), &mean, &var, self.momentum, self.eps);
        }
        let [gamma, beta] = self.affine.both(x);
        x.batch_norm_eval(&gamma, &beta, &mean, &var, self.eps)
    }

    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        let channels = self.affine.shape().len();
        if input.rank() != 2 + AXES || input.c() != channels {
            let axes = if AXES == 1 { "(N, C, L)" } else { "(N, C, H, W)" };
            return Err(ShapeError::new(format!("instance_norm: {axes} of {channels} channels is expected, {input} comes in")));
        }
        Ok(input)
    }

    fn describe(&self) -> String {
        let affine = if self.affine.describe().is_empty() { ", affine" } else { "" };
        let tracked = if self.running.is_some() { ", tracked" } else { "" };
        format!("InstanceNorm{AXES}d {}{affine}{tracked}", self.affine.shape().len())
    }
}
