//! The losses of a [`TrainStep`](super::TrainStep).

use crate::autograd::Var;
use crate::module::ShapeError;
use gpu_core::ops::{CrossEntropy, Reduction};
use gpu_core::{Device, Shape, Tensor};

/// What is minimised: a mean over the batch.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Loss {
    /// Of logits (N, classes, ...) and labels (N, ...).
    CrossEntropy {
        /// The part of the target that is spread over all classes.
        smoothing: f32,
    },
    /// The mean squared difference of the output from the input: what an autoencoder learns.
    Reconstruction,
    /// Of logits (N, classes, ...) and probabilities, which are the step's targets.
    SoftCrossEntropy {
        /// The part of the target that is spread over all classes.
        smoothing: f32,
    },
    /// The mean squared difference of the output from the targets.
    Mse,
    /// The mean absolute difference of the output from the targets.
    L1,
    /// A parabola within `beta` of the targets, else a line of slope 1.
    SmoothL1 {
        /// Where the parabola ends.
        beta: f32,
    },
    /// A parabola within `delta` of the targets, else a line of slope `delta`.
    Huber {
        /// Where the parabola ends.
        delta: f32,
    },
    /// Two classes for each element of the output, which is logits; the targets are 0 to 1.
    BceWithLogits,
}

impl Loss {
    /// Whether the output is held against labels.
    pub(super) fn has_labels(self) -> bool {
        matches!(self, Self::CrossEntropy { .. })
    }

    /// Whether the output is held against targets: values of its shape.
    pub(super) fn has_targets(self) -> bool {
        !matches!(self, Self::CrossEntropy { .. } | Self::Reconstruction)
    }

    /// Of `output` and what it is held against: labels or targets, as the loss takes them; `class_weights` have the shape that
    /// [`class_weights`](Self::class_weights) gives them.
    pub(super) fn of(self, output: &Var, labels: &Tensor, targets: &Tensor, class_weights: Option<&Tensor>) -> Var {
        let options = |smoothing| CrossEntropy { smoothing, weight: class_weights.cloned(), ..CrossEntropy::default() };
        let targets = Var::constant(targets);
        match self {
            Self::CrossEntropy { smoothing } => output.cross_entropy(labels, options(smoothing)),
            Self::SoftCrossEntropy { smoothing } => output.soft_cross_entropy(&targets, options(smoothing)),
            Self::L1 => output.l1_loss(&targets, Reduction::Mean),
            Self::SmoothL1 { beta } => output.smooth_l1_loss(&targets, beta, Reduction::Mean),
            Self::Huber { delta } => output.huber_loss(&targets, delta, Reduction::Mean),
            Self::BceWithLogits => output.bce_with_logits(&targets, None, class_weights, Reduction::Mean),
            Self::Reconstruction | Self::Mse => output.mse_loss(&targets, Reduction::Mean),
        }
    }

    /// The classes' weights: (C), or (C, 1, 1) where they are to be broadcast over logits (N, C, H, W); none for an empty list.
    pub(super) fn class_weights(self, device: &Device, weights: &[f32], output: Shape) -> Result<Option<Tensor>, ShapeError> {
        if weights.is_empty() {
            return Ok(None);
        }
        let classes = if output.rank() >= 2 { output.c() } else { 0 };
        if weights.len() != classes {
            return Err(ShapeError::new(format!("{} class weights are given for an output of shape {output}", weights.len())));
        }
        let mut dims = vec![classes];
        if self == Self::BceWithLogits {
            dims.resize(output.rank() - 1, 1);
        }
        Ok(Some(Tensor::from_slice(device, dims.as_slice(), weights)))
    }
}
