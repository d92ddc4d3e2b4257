//! Batch normalisation over images.

use crate::init::Init;
use crate::module::{Module, ShapeError, join};
use crate::param::Param;
use crate::var::Var;
use gpu_core::Shape;

/// Normalises each channel by the batch's mean and variance (in training) or the running ones (in evaluation), then scales and
/// shifts. Equivalent of `torch.nn.BatchNorm2d`, of `BatchNorm1d` for (N, C).
#[derive(Debug)]
pub struct BatchNorm2d {
    gamma: Param,
    beta: Param,
    running_mean: Param,
    running_var: Param,
    momentum: f32,
    eps: f32,
}

impl BatchNorm2d {
    /// For `channels` channels; momentum 0.1 and eps 1e-5.
    pub fn new(cx: &Init, channels: usize) -> Self {
        let buffer = |value| Param::buffer(gpu_core::Tensor::full(cx.device(), [channels], value));
        Self {
            gamma: cx.constant(channels, 1.0),
            beta: cx.constant(channels, 0.0),
            running_mean: buffer(0.0),
            running_var: buffer(1.0),
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
}

impl Module for BatchNorm2d {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        let (gamma, beta) = (self.gamma.var(x), self.beta.var(x));
        let (mean, var) = (self.running_mean.value(), self.running_var.value());
        match x.is_training() {
            true => x.batch_norm(&gamma, &beta, &mean, &var, self.momentum, self.eps),
            false => x.batch_norm_eval(&gamma, &beta, &mean, &var, self.eps),
        }
    }

    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        let channels = self.gamma.shape().len();
        if !matches!(input.rank(), 2..=4) || input.c() != channels {
            return Err(ShapeError::new(format!("batch_norm: {channels} channels are expected at axis 1 of {input}")));
        }
        Ok(input)
    }

    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param)) {
        f(&join(path, "weight"), &self.gamma);
        f(&join(path, "bias"), &self.beta);
        f(&join(path, "running_mean"), &self.running_mean);
        f(&join(path, "running_var"), &self.running_var);
    }

    fn describe(&self) -> String {
        format!("BatchNorm2d {}", self.gamma.shape().len())
    }
}
