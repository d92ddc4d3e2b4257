//! Normalisation of channels over the batch: of mean and variance, or of the mean alone.

use super::affine::Affine;
use crate::init::Init;
use crate::module::{Module, Parameters, ShapeError, Then, join};
use crate::param::Param;
use crate::var::Var;
use gpu_core::{Shape, Tensor};

/// Normalises each channel by the batch's mean and variance (in training) or the running ones (in evaluation), then scales and
/// shifts: [`BatchNorm1d`] and [`BatchNorm2d`].
/// Equivalent of `torch.nn.BatchNorm1d` and `torch.nn.BatchNorm2d`.
#[derive(Debug)]
pub struct BatchNorm<const AXES: usize> {
    affine: Affine,
    running_mean: Param,
    running_var: Param,
    tracked: bool,
    momentum: f32,
    eps: f32,
}

/// For (N, C) and (N, C, L). Equivalent of `torch.nn.BatchNorm1d`.
pub type BatchNorm1d = BatchNorm<1>;
/// For (N, C, H, W), and what [`BatchNorm1d`] is for. Equivalent of `torch.nn.BatchNorm2d`.
pub type BatchNorm2d = BatchNorm<2>;

/// `value` for each channel, kept and not learned.
pub(super) fn buffer(cx: &Init, channels: usize, value: f32) -> Param {
    Param::buffer(Tensor::full(cx.device(), [channels], value))
}

impl<const AXES: usize> BatchNorm<AXES> {
    /// For `channels` channels; momentum 0.1 and eps 1e-5.
    pub fn new(cx: &Init, channels: usize) -> Self {
        Self {
            affine: Affine::new(cx, [channels]),
            running_mean: buffer(cx, channels, 0.0),
            running_var: buffer(cx, channels, 1.0),
            tracked: true,
            momentum: 0.1,
            eps: 1e-5,
        }
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
        Self { affine: self.affine.none(), ..self }
    }

    /// No running statistics: evaluation normalises by its own batch. PyTorch's `track_running_stats=False`.
    pub fn untracked(self) -> Self {
        Self { tracked: false, ..self }
    }

    fn running(&self) -> [Tensor; 2] {
        [self.running_mean.value(), self.running_var.value()]
    }

    /// What a batch weighs in the running statistics, where it is its own that normalise.
    fn momentum_for(&self, x: &Var) -> Option<f32> {
        match (self.running_mean.is_updated_by(x), self.tracked) {
            (true, true) => Some(self.momentum),
            (false, true) => None,
            // They stay as they are, and nobody looks at them.
            (_, false) => Some(0.0),
        }
    }
}

impl<const AXES: usize> Parameters for BatchNorm<AXES> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param)) {
        self.affine.visit(path, f);
        if self.tracked {
            f(&join(path, "running_mean"), &self.running_mean);
            f(&join(path, "running_var"), &self.running_var);
        }
    }
}

impl<const AXES: usize> Module for BatchNorm<AXES> {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        let ([gamma, beta], [mean, var]) = (self.affine.both(x), self.running());
        match self.momentum_for(x) {
            Some(momentum) => x.batch_norm(&gamma, &beta, &mean, &var, momentum, self.eps),
            None => x.batch_norm_eval(&gamma, &beta, &mean, &var, self.eps),
        }
    }

    #[track_caller]
    fn forward_then(&self, x: &Var, then: Then<'_>) -> Var {
        if !then.relu {
            return then.after(self.forward(x));
        }
        let ([gamma, beta], [mean, var]) = (self.affine.both(x), self.running());
        match self.momentum_for(x) {
            Some(momentum) => x.batch_norm_relu(then.add, &gamma, &beta, &mean, &var, momentum, self.eps),
            None => x.batch_norm_eval_relu(then.add, &gamma, &beta, &mean, &var, self.eps),
        }
    }

    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        let channels = self.running_mean.shape().len();
        if !(2..=2 + AXES).contains(&input.rank()) || input.c() != channels {
            return Err(ShapeError::new(format!("batch_norm: {channels} channels are expected at axis 1 of {input}")));
        }
        Ok(input)
    }

    fn describe(&self) -> String {
        format!("BatchNorm{AXES}d {}{}", self.running_mean.shape().len(), self.affine.describe())
    }
}

/// Takes each channel's mean over the batch (in training) or the running one (in evaluation) away and leaves the variance, then scales
/// and shifts: `weight * (x - mean) + bias`. For (N, C), (N, C, L) and (N, C, H, W).
/// PyTorch has no such layer: it is the mean-only batch normalisation of Salimans and Kingma, 2016.
///
/// ```
/// # use gpu_core::{Device, Tensor};
/// # use nn::{DemeanNorm, Init, Module, Tape, parameters};
/// let norm = DemeanNorm::new(&Init::seeded(&Device::Cpu, 0), 1);
/// let x = Tape::new(&Device::Cpu).input(&Tensor::from_slice(&Device::Cpu, [2, 1], &[1.0f32, 5.0]));
/// assert_eq!(norm.forward(&x).value().to_vec()?, [-2.0, 2.0]);
/// let keys: Vec<String> = parameters(&norm).into_iter().map(|(key, _)| key).collect();
/// assert_eq!(keys, ["weight", "bias", "running_mean"]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[derive(Debug)]
pub struct DemeanNorm {
    affine: Affine,
    running_mean: Param,
    momentum: f32,
}

impl DemeanNorm {
    /// For `channels` channels; momentum 0.1.
    pub fn new(cx: &Init, channels: usize) -> Self {
        Self { affine: Affine::new(cx, [channels]), running_mean: buffer(cx, channels, 0.0), momentum: 0.1 }
    }

    /// The weight of the newest batch in the running mean.
    pub fn momentum(self, momentum: f32) -> Self {
        Self { momentum, ..self }
    }

    /// Nothing scales and shifts.
    pub fn no_affine(self) -> Self {
        Self { affine: self.affine.none(), ..self }
    }
}

impl Parameters for DemeanNorm {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param)) {
        self.affine.visit(path, f);
        f(&join(path, "running_mean"), &self.running_mean);
    }
}

impl Module for DemeanNorm {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        let ([gamma, beta], mean) = (self.affine.both(x), self.running_mean.value());
        match self.running_mean.is_updated_by(x) {
            true => x.demean_norm(&gamma, &beta, &mean, self.momentum),
            false => x.demean_norm_eval(&gamma, &beta, &mean),
        }
    }

    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        let channels = self.running_mean.shape().len();
        if !(2..=4).contains(&input.rank()) || input.c() != channels {
            return Err(ShapeError::new(format!("demean_norm: {channels} channels are expected at axis 1 of {input}")));
        }
        Ok(input)
    }

    fn describe(&self) -> String {
        format!("DemeanNorm {}{}", self.running_mean.shape().len(), self.affine.describe())
    }
}
