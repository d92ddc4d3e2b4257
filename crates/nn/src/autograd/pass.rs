//! What a forward pass is for: training or evaluation, with gradients or without, and which random numbers it draws.

use super::labels::LabelSlots;
use super::spans::Spans;
use super::statistics::Statistics;
use gpu_core::{DType, Device, Tensor};

/// What the factors of products are rounded to, in a pass: of [`Var::matmul`](crate::Var::matmul), [`Var::linear`](crate::Var::linear) and
/// convolutions, and in the backward pass of their gradients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// To nothing: all is f32.
    #[default]
    F32,
    /// To f16, while their products are added up in f32, by a GPU's matrix units where it has any. What convolutions give is held in f16
    /// too, with what batch norms, activation functions and max poolings make of it; they compute in f32. Everything else is f32:
    /// parameters, gradients, what products of matrices give, and depthwise convolutions, which wait for memory, not for arithmetic.
    /// [`Var::value`](crate::Var::value) is f32 always. Equivalent of `torch.autocast(dtype=torch.float16)`. Train with
    /// [`loss_scaling`](crate::optim::RuleOptimizer::loss_scaling).
    Mixed,
}

/// The options of a [`Tape`](crate::Tape). Whether layers are in training mode and whether gradients are wanted are two choices:
///
/// | | gradients | none |
/// | --- | --- | --- |
/// | training: dropout drops, batch norms use the batch | `Tape::new(&device)` | `Tape::pass(&device).no_gradients().tape()` |
/// | evaluation | `Tape::evaluating(&device)` | `Var::constant(&x)` |
///
/// ```
/// use gpu_core::{Device, Tensor};
/// use nn::Tape;
/// let x = Tensor::full(&Device::Cpu, [64], 1.0);
/// // Monte Carlo dropout: predictions of many thinned networks, without gradients.
/// let drawn = |pass: nn::Pass| pass.no_gradients().tape().input(&x).dropout(0.5).value().to_vec();
/// assert_ne!(drawn(Tape::pass(&Device::Cpu))?, drawn(Tape::pass(&Device::Cpu))?);
/// // The same seed and step give the same numbers.
/// let third = || Tape::pass(&Device::Cpu).seed(7).step(3);
/// assert_eq!(drawn(third())?, drawn(third())?);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Pass {
    pub(super) device: Device,
    pub(super) training: bool,
    pub(super) gradients: bool,
    pub(super) precision: Precision,
    pub(super) seed: u64,
    /// None for a step that no other tape draws from.
    pub(super) step: Option<Tensor>,
    pub(super) labels: LabelSlots,
    pub(super) spans: Spans,
    pub(super) statistics: Statistics,
}

impl Pass {
    pub(super) fn new(device: &Device) -> Self {
        let (precision, labels, spans, statistics) = Default::default();
        Self { device: device.clone(), training: true, gradients: true, precision, seed: 0, step: None, labels, spans, statistics }
    }

    /// In evaluation mode: dropout passes everything on, and norms use their running statistics. Gradients are kept. Equivalent of
    /// `net.eval()`.
    pub fn evaluate(self) -> Self {
        Self { training: false, ..self }
    }

    /// Without gradients: nothing is kept for a backward pass. Equivalent of `torch.no_grad()`.
    pub fn no_gradients(self) -> Self {
        Self { gradients: false, ..self }
    }

    /// With products of another precision than f32.
    ///
    /// ```
    /// # use gpu_core::{Device, Tensor};
    /// # use nn::{Precision, Tape};
    /// let x = Tensor::from_slice(&Device::Cpu, [1, 1], &[1.0f32 + 2f32.powi(-11)]);
    /// let square = |precision| {
    ///     let x = Tape::pass(&Device::Cpu).precision(precision).tape().variable(&x);
    ///     x.matmul(&x).value().item()
    /// };
    /// assert_eq!(square(Precision::F32)?, 1.0 + 2f32.powi(-10) + 2f32.powi(-22));
    /// assert_eq!(square(Precision::Mixed)?, 1.0); // the even one of two neighbours
    /// # Ok::<(), gpu_core::Error>(())
    /// ```
    pub fn precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// With labels of which losses shall note what classes they have.
    pub(crate) fn labels(self, labels: &LabelSlots) -> Self {
        Self { labels: labels.clone(), ..self }
    }

    /// With a note of which launches are which layer's.
    pub(crate) fn spans(self, spans: &Spans) -> Self {
        Self { spans: spans.clone(), ..self }
    }

    /// With norms that keep what they find apart.
    pub(crate) fn statistics(self, statistics: &Statistics) -> Self {
        Self { statistics: statistics.clone(), ..self }
    }

    /// With another seed of the random layers than 0.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Random layers draw the numbers of step `step`, and so does every pass of this seed and step. Where none is given, it is one that
    /// no other pass of the process draws from.
    ///
    /// # Panics
    /// Inside a capture: see [`step_in`](Self::step_in).
    #[track_caller]
    pub fn step(self, step: u32) -> Self {
        let step = Tensor::from_slice(&self.device, [1], &[step]);
        Self { step: Some(step), ..self }
    }

    /// The same with the step that `step` (u32, one element) holds when the random layers run: for captures, whose replays draw other
    /// numbers once it was written anew.
    ///
    /// # Panics
    /// If `step` is not one u32.
    #[track_caller]
    pub fn step_in(self, step: &Tensor) -> Self {
        assert!(
            step.len() == 1 && step.dtype() == DType::U32,
            "Tape: the step is one u32, not {} of shape {}",
            step.dtype(),
            step.shape()
        );
        Self { step: Some(step.clone()), ..self }
    }
}
