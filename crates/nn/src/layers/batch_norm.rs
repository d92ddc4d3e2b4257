//! Normalisation of channels over the batch: of mean and variance, or of the mean alone.

use super::affine::Affine;
use super::check::{channels, expect, positive, probability};
use super::default;
use crate::autograd::Var;
use crate::init::Fill;
use crate::module::ShapeError;
use crate::net::{Layer, Params, Plan};
use gpu_core::Shape;
use serde::{Deserialize, Serialize};

/// Normalises each channel by the batch's mean and variance (in training) or the running ones (in evaluation), then scales and
/// shifts: [`BatchNorm1d`] and [`BatchNorm2d`].
/// Equivalent of `torch.nn.BatchNorm1d` and `torch.nn.BatchNorm2d`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchNorm<const AXES: usize> {
    #[serde(default = "default::eps", skip_serializing_if = "default::is_eps")]
    eps: f32,
    #[serde(default = "default::momentum", skip_serializing_if = "default::is_momentum")]
    momentum: f32,
    #[serde(default = "default::yes", skip_serializing_if = "default::is_yes")]
    affine: bool,
    #[serde(default = "default::yes", skip_serializing_if = "default::is_yes")]
    tracked: bool,
}

/// For (N, C) and (N, C, L). Equivalent of `torch.nn.BatchNorm1d`.
pub type BatchNorm1d = BatchNorm<1>;
/// For (N, C, H, W), and what [`BatchNorm1d`] is for. Equivalent of `torch.nn.BatchNorm2d`.
pub type BatchNorm2d = BatchNorm<2>;

impl<const AXES: usize> Default for BatchNorm<AXES> {
    fn default() -> Self {
        Self { eps: default::eps(), momentum: default::momentum(), affine: true, tracked: true }
    }
}

impl<const AXES: usize> BatchNorm<AXES> {
    /// Momentum 0.1 and eps 1e-5; it scales and shifts, and keeps running statistics.
    pub fn new() -> Self {
        Self::default()
    }

    /// The weight of the newest batch in the running values.
    pub fn momentum(self, momentum: f32) -> Self {
        Self { momentum, ..self }
    }

    /// What is added to the variance.
    pub fn eps(self, eps: f32) -> Self {
        Self { eps, ..self }
    }

    /// Nothing scales and shifts. PyTorch's `affine=False`.
    pub fn no_affine(self) -> Self {
        Self { affine: false, ..self }
    }

    /// No running statistics: evaluation normalises by its own batch. PyTorch's `track_running_stats=False`.
    pub fn untracked(self) -> Self {
        Self { tracked: false, ..self }
    }
}

/// The channels of (N, C) with at most `axes` axes behind.
fn batch_channels(input: Shape, axes: usize) -> Result<usize, ShapeError> {
    let c = channels(input)?;
    let wanted = if axes == 1 { "(N, C) or (N, C, L)" } else { "(N, C), (N, C, L) or (N, C, H, W)" };
    expect(input.rank() <= 2 + axes, || format!("{wanted} is expected, {input} comes in"))?;
    Ok(c)
}

impl<const AXES: usize> Layer for BatchNorm<AXES> {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        let c = batch_channels(input, AXES)?;
        positive("eps", self.eps)?;
        probability("momentum", self.momentum)?;
        // Evaluation would normalise one value by itself wherever a batch is one image.
        let has_variance = self.tracked || input.n() * input.inner(2) > 1;
        expect(has_variance, || "one value a channel has no variance; keep running statistics (`tracked`)".to_owned())?;
        let affine = Affine::of(self.affine, self.affine);
        let mut plan = affine.declare(Plan::new(format!("BatchNorm{AXES}d {c}{affine}"), input), [c]);
        if input.n() * input.inner(2) == 1 {
            plan = plan.untrainable("one value a channel has no variance; train with a larger batch");
        }
        Ok(match self.tracked {
            true => plan.buffer("running_mean", [c], Fill::Constant(0.0)).buffer("running_var", [c], Fill::Constant(1.0)),
            false => plan.constant("running_mean", [c], 0.0).constant("running_var", [c], 1.0),
        })
    }

    #[track_caller]
    fn forward(&self, x: &Var, p: &Params<'_>) -> Var {
        let [gamma, beta] = ["weight", "bias"].map(|name| p.var(name));
        let names = ["running_mean", "running_var"];
        // The running statistics, and what a batch weighs in them where it is its own that normalise.
        let ([mean, var], momentum) = match (p.updates(names[0]), self.tracked) {
            (true, true) => {
                let [(mean, momentum), (var, _)] = names.map(|name| p.moved(name, self.momentum));
                ([mean, var], Some(momentum))
            }
            (false, true) => (names.map(|name| p.value(name)), None),
            // They stay as they are, and nobody looks at them.
            (_, false) => (names.map(|name| p.value(name)), Some(0.0)),
        };
        // The kernels can add and rectify as well, so that what was only normalised is never stored.
        match (p.take_then(|then| then.relu), momentum) {
            (None, Some(momentum)) => x.batch_norm(&gamma, &beta, &mean, &var, momentum, self.eps),
            (None, None) => x.batch_norm_eval(&gamma, &beta, &mean, &var, self.eps),
            (Some(then), Some(momentum)) => x.batch_norm_relu(then.add, &gamma, &beta, &mean, &var, momentum, self.eps),
            (Some(then), None) => x.batch_norm_eval_relu(then.add, &gamma, &beta, &mean, &var, self.eps),
        }
    }
}

/// Takes each channel's mean over the batch (in training) or the running one (in evaluation) away and leaves the variance, then scales
/// and shifts: `weight * (x - mean) + bias`. For (N, C), (N, C, L) and (N, C, H, W).
/// PyTorch has no such layer: it is the mean-only batch normalisation of Salimans and Kingma, 2016.
///
/// ```
/// # use gpu_core::{Device, Tensor};
/// # use nn::{DemeanNorm, Init, Layer, Tape, parameters};
/// let norm = DemeanNorm::new().build(&Init::seeded(&Device::Cpu, 0), [1])?;
/// let x = Tape::new(&Device::Cpu).input(&Tensor::from_slice(&Device::Cpu, [2, 1], &[1.0f32, 5.0]));
/// assert_eq!(norm.forward(&x).value().to_vec()?, [-2.0, 2.0]);
/// let keys: Vec<String> = parameters(&norm).into_iter().map(|(key, _)| key).collect();
/// assert_eq!(keys, ["weight", "bias", "running_mean"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DemeanNorm {
    momentum: f32,
    affine: bool,
}

impl Default for DemeanNorm {
    fn default() -> Self {
        Self { momentum: default::momentum(), affine: true }
    }
}

impl DemeanNorm {
    /// Momentum 0.1; it scales and shifts.
    pub fn new() -> Self {
        Self::default()
    }

    /// The weight of the newest batch in the running mean.
    pub fn momentum(self, momentum: f32) -> Self {
        Self { momentum, ..self }
    }

    /// Nothing scales and shifts.
    pub fn no_affine(self) -> Self {
        Self { affine: false, ..self }
    }
}

impl Layer for DemeanNorm {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        let c = batch_channels(input, 2)?;
        probability("momentum", self.momentum)?;
        let affine = Affine::of(self.affine, self.affine);
        let plan = affine.declare(Plan::new(format!("DemeanNorm {c}{affine}"), input), [c]);
        Ok(plan.buffer("running_mean", [c], Fill::Constant(0.0)))
    }

    #[track_caller]
    fn forward(&self, x: &Var, p: &Params<'_>) -> Var {
        let [gamma, beta] = ["weight", "bias"].map(|name| p.var(name));
        match p.updates("running_mean") {
            true => {
                let (mean, momentum) = p.moved("running_mean", self.momentum);
                x.demean_norm(&gamma, &beta, &mean, momentum)
            }
            false => x.demean_norm_eval(&gamma, &beta, &p.value("running_mean")),
        }
    }
}
