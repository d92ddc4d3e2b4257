//! The losses of a [`TrainStep`](super::TrainStep).

use crate::autograd::Var;
use crate::module::ShapeError;
use gpu_core::ops::{self, CrossEntropy, Reduction};
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
    /// Of logits (N, classes, H, W) and a label for each pixel, of which [`IGNORED`](Self::IGNORED) does not count: the cross-entropy's
    /// mean over the others, 0 where there are none.
    Segmentation {
        /// The part of the target that is spread over all classes.
        smoothing: f32,
        /// Whether 1 - Dice is added: the mean over the classes of how little of what was said and of what there is is common to both.
        dice: bool,
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
    /// The label of a pixel that is of no class, for [`Segmentation`](Self::Segmentation).
    pub const IGNORED: u32 = 255;

    /// Whether the output is held against labels.
    pub(super) fn has_labels(self) -> bool {
        matches!(self, Self::CrossEntropy { .. } | Self::Segmentation { .. })
    }

    /// Whether it is of pixels.
    pub(super) fn is_of_pixels(self) -> bool {
        matches!(self, Self::Segmentation { .. })
    }

    /// Whether the output is held against targets: values of its shape.
    pub(super) fn has_targets(self) -> bool {
        !self.has_labels() && self != Self::Reconstruction
    }

    /// Of `output` and what it is held against: labels or targets, as the loss takes them; `class_weights` have the shape that
    /// [`class_weights`](Self::class_weights) gives them.
    pub(super) fn of(self, output: &Var, labels: &Tensor, targets: &Tensor, class_weights: Option<&Tensor>) -> Var {
        let options = |smoothing| CrossEntropy { smoothing, weight: class_weights.cloned(), ..CrossEntropy::default() };
        let targets = Var::constant(targets);
        match self {
            Self::CrossEntropy { smoothing } => output.cross_entropy(labels, options(smoothing)),
            Self::Segmentation { smoothing, dice } => segmentation_loss(output, labels, smoothing, dice),
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

/// [`Loss::Segmentation`] of `logits` (N, C, H, W) and `labels` u32 (N, H, W), of which [`Loss::IGNORED`] does not count: a scalar. The
/// cross-entropy alone is that of `torch.nn.functional.cross_entropy(logits, labels, ignore_index=255)`, but 0 and not NaN where no pixel
/// counts.
///
/// ```
/// # use gpu_core::{Device, Tensor};
/// # use nn::{Loss, Var, segmentation_loss};
/// let logits = Var::constant(&Tensor::zeros(&Device::Cpu, [1, 2, 1, 3]));
/// let labels = Tensor::from_slice(&Device::Cpu, [1, 1, 3], &[0u32, 1, Loss::IGNORED]);
/// assert!((segmentation_loss(&logits, &labels, 0.0, false).item()? - 2f32.ln()).abs() < 1e-6);
/// // Each class is there once, and is said with a probability of a half twice: its Dice is (2 * 0.5 + 1) / (1 + 1 + 1).
/// assert!((segmentation_loss(&logits, &labels, 0.0, true).item()? - 2f32.ln() - 1.0 / 3.0).abs() < 1e-6);
/// # Ok::<(), gpu_core::Error>(())
/// ```
///
/// # Panics
/// If the shapes or types do not fit, or the smoothing is not in [0, 1].
#[track_caller]
pub fn segmentation_loss(logits: &Var, labels: &Tensor, smoothing: f32, dice: bool) -> Var {
    let fits = logits.shape().rank() == 4 && labels.shape().rank() == 3;
    assert!(
        fits,
        "segmentation_loss: (N, C, H, W) and (N, H, W) are wanted (logits {}, labels {})",
        logits.shape(),
        labels.shape()
    );
    let ignore_index = Some(Loss::IGNORED);
    let options = CrossEntropy { smoothing, ignore_index, reduction: Reduction::Sum, ..CrossEntropy::default() };
    // (N, H, W, C), and of which pixels one is hot at all: they are counted on the device.
    let target = ops::one_hot(labels, logits.shape().c());
    let counted = ops::sum_axes(&target, &[3], true);
    let pixels = ops::clamp(&ops::sum(&counted), 1.0, f32::MAX);
    let loss = &logits.cross_entropy(labels, options) / &Var::constant(&pixels);
    match dice {
        true => &loss + &dice_loss(logits, &Var::constant(&target), &Var::constant(&counted)),
        false => loss,
    }
}

/// `1 - (2 both + 1) / (said + there + 1)`, the mean over the classes; each a sum over the pixels of the batch that count, of
/// probabilities.
fn dice_loss(logits: &Var, target: &Var, counted: &Var) -> Var {
    let said = &logits.softmax(1).permute(&[0, 2, 3, 1]) * counted;
    let sum = |x: &Var| x.sum_axes(&[0, 1, 2], false);
    let (both, all) = (sum(&(&said * target)), &sum(&said) + &sum(target));
    let dice = &(2.0 * &both + 1.0) / &(all + 1.0);
    (1.0 - &dice).mean()
}
