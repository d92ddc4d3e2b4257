//! What a training or evaluation step is recorded for, what it reads, and what it measures.

use super::loss::Loss;
use super::parts::Share;
use crate::autograd::Precision;
use gpu_core::ops::MetricSums;
use gpu_core::{Shape, Tensor};
use std::ops::Range;

/// What a step is recorded for.
#[derive(Debug, Clone, PartialEq)]
pub struct StepOptions {
    pub(super) batch: usize,
    input: Shape,
    pub(super) loss: Loss,
    pub(super) class_weights: Vec<f32>,
    pub(super) seed: u64,
    pub(super) precision: Precision,
    pub(super) share: Share,
}

impl StepOptions {
    /// `batch` inputs of shape `input` (C, H, W); cross-entropy without smoothing, seed 0.
    pub fn new(batch: usize, input: impl Into<Shape>) -> Self {
        Self {
            batch,
            input: input.into(),
            loss: Loss::CrossEntropy { smoothing: 0.0 },
            class_weights: Vec::new(),
            seed: 0,
            precision: Precision::F32,
            share: Share::whole(1),
        }
    }

    /// Each update after `runs` runs, by the mean of their gradients: a batch in parts, where the whole would not fit. The result
    /// is that of one batch of `runs * batch`, but for layers that look at the whole batch (see
    /// [`StepBuilder::accumulate`](super::StepBuilder::accumulate)) and the random numbers of others.
    ///
    /// # Panics
    /// If `runs` is 0.
    #[track_caller]
    pub fn accumulate(self, runs: u32) -> Self {
        assert!(runs > 0, "StepOptions: an update after 0 runs");
        Self { share: Share::whole(runs), ..self }
    }

    /// Only `parts` of a batch of `of` parts, of which others compute the others; see [`StepBuilder::share`](super::StepBuilder::share).
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    pub fn share(self, parts: Range<u32>, of: u32) -> Self {
        Self { share: Share::part(of, parts), ..self }
    }

    /// With another loss.
    pub fn loss(self, loss: Loss) -> Self {
        Self { loss, ..self }
    }

    /// With a weight for each class, or none for an empty list: of its rows for the cross-entropies, of its positive targets for
    /// [`Loss::BceWithLogits`]. Other losses have no classes.
    pub fn class_weights(self, weights: impl Into<Vec<f32>>) -> Self {
        Self { class_weights: weights.into(), ..self }
    }

    /// With another seed of the random layers.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// With products of another precision than f32.
    pub fn precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// The same for another batch.
    pub(super) fn of_batch(&self, batch: usize) -> Self {
        Self { batch, ..self.clone() }
    }

    /// The shape of a batch.
    pub(super) fn shape(&self) -> Shape {
        let mut dims = vec![self.batch];
        dims.extend(self.input.dims());
        Shape::new(&dims)
    }
}

/// The fixed tensors that a step reads.
#[derive(Debug, Clone)]
pub struct Slots {
    /// The batch.
    pub x: Tensor,
    /// The labels: u32 (N), or (N, ...) for logits (N, classes, ...).
    pub labels: Tensor,
    /// What the output is held against by a loss that takes values: f32, of the output's shape.
    pub targets: Option<Tensor>,
    /// How many steps were done before this one: u32 `[1]`.
    pub step: Tensor,
}

/// Loss and accuracy over the images since the last reset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metrics {
    /// How many images.
    pub images: u64,
    /// The mean loss of an image; NaN where there was none.
    pub loss: f64,
    /// The part of the images (of their places, where each has a label) whose largest logit is the label's, 0 to 1; NaN where there
    /// was none, 0 for losses without labels.
    pub accuracy: f64,
}

impl Metrics {
    /// Of the [`MetricSums`] of a step, see [`TrainStep::sums`](super::TrainStep::sums), whose images have so many labels each.
    pub fn of(sums: [u32; MetricSums::WORDS], labels: u64) -> Self {
        let MetricSums { loss, correct, images } = MetricSums::of(&sums);
        Self { images, loss: loss / images as f64, accuracy: correct as f64 / (images * labels) as f64 }
    }
}
