//! A whole training step, or evaluation step, recorded once and replayed.
//!
//! What changes from step to step lies in tensors: the batch, the labels, the step number that the random layers read, and the
//! optimiser's hyper-parameters. Loss and accuracy add up on the device and are read when asked for: that is the only wait.

mod plan;
mod record;
#[cfg(test)]
mod tests;

pub use plan::MemoryPlan;

use crate::module::{Module, ShapeError};
use crate::optim::Optimizer;
use gpu_core::{Device, Shape, Tensor};
use record::Recorded;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use thiserror::Error;

/// A step that cannot be recorded or run.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StepError {
    /// The network does not fit the input.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The step would need more memory than the device has left.
    #[error(
        "a step of batch {batch} needs {needed_bytes} bytes, {available_bytes} are free; {}",
        if *fits == 0 { "not even a batch of 1 fits: take a smaller model or a larger device".to_owned() } else { format!("a batch of {fits} fits") }
    )]
    TooLarge {
        /// The batch asked for.
        batch: usize,
        /// What it needs.
        needed_bytes: u64,
        /// What the device's budget leaves.
        available_bytes: u64,
        /// The largest batch that fits.
        fits: usize,
    },
    /// One tensor would be larger than the device can bind.
    #[error(
        "{layer} gives a tensor of {bytes} bytes at batch {batch}, over the {limit_bytes} that this device can bind; a batch of {fits} fits"
    )]
    TensorTooLarge {
        /// The layer's path and kind.
        layer: String,
        /// The batch asked for.
        batch: usize,
        /// Of the layer's output.
        bytes: u64,
        /// What one tensor may have.
        limit_bytes: u64,
        /// The largest batch that fits.
        fits: usize,
    },
    /// The device failed.
    #[error(transparent)]
    Device(#[from] gpu_core::Error),
}

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
    fn has_labels(self) -> bool {
        matches!(self, Self::CrossEntropy { .. })
    }

    /// Whether the output is held against targets: values of its shape.
    fn has_targets(self) -> bool {
        !matches!(self, Self::CrossEntropy { .. } | Self::Reconstruction)
    }
}

/// What a step is recorded for.
#[derive(Debug, Clone, PartialEq)]
pub struct StepOptions {
    batch: usize,
    input: Shape,
    loss: Loss,
    class_weights: Vec<f32>,
    seed: u64,
    accumulate: u32,
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
            accumulate: 1,
        }
    }

    /// Each update after `runs` runs, by the mean of their gradients: a batch in parts, where the whole would not fit. The result
    /// is that of one batch of `runs * batch`, but for layers that look at the whole batch (batch normalisation) and the random
    /// numbers of others.
    ///
    /// # Panics
    /// If `runs` is 0.
    #[track_caller]
    pub fn accumulate(self, runs: u32) -> Self {
        assert!(runs > 0, "StepOptions: an update after 0 runs");
        Self { accumulate: runs, ..self }
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

    /// The shape of a batch.
    fn shape(&self) -> Shape {
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

/// A recorded training step: forward, loss, metrics, backward, optimiser.
///
/// ```
/// use gpu_core::Device;
/// use nn::{Flatten, Init, Layer, Linear, Sgd, StepOptions, TrainStep, seq};
/// let net = seq![Flatten, Linear::new(2)].build(&Init::seeded(&Device::Cpu, 0), [1, 2, 2])?;
/// let sgd = Sgd::new(&net, 2.0);
/// let step = TrainStep::captured(&net, &sgd, &StepOptions::new(2, [1, 2, 2]))?;
/// for _ in 0..20 {
///     step.run_on(&[1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0], &[0, 1])?;
/// }
/// assert!(step.loss()? < 0.1);
/// assert_eq!(step.metrics()?.images, 40);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TrainStep {
    recorded: Recorded,
    optimizer: Arc<dyn Optimizer>,
    /// Runs of an update, and those since the last.
    accumulate: u32,
    pending: AtomicU32,
}

impl TrainStep {
    /// Records a step of `net` under `optimizer`; nothing runs yet.
    ///
    /// # Errors
    /// If the network does not fit the input, or the device the step: then with the batch that would fit.
    #[track_caller]
    pub fn captured(net: &dyn Module, optimizer: &dyn Optimizer, options: &StepOptions) -> Result<Self, StepError> {
        Self::captured_with(net, optimizer, options, |_| {})
    }

    /// The same with kernels that run before: `prologue` may fill `x` and `labels` from other tensors on the device.
    ///
    /// # Errors
    /// As [`captured`](Self::captured).
    #[track_caller]
    pub fn captured_with(
        net: &dyn Module,
        optimizer: &dyn Optimizer,
        options: &StepOptions,
        prologue: impl FnOnce(&Slots),
    ) -> Result<Self, StepError> {
        plan::check(net, optimizer.device(), Some(optimizer), options)?;
        let recorded = Recorded::training(net, optimizer, options, prologue)?;
        let (accumulate, pending) = (options.accumulate, AtomicU32::new(0));
        Ok(Self { recorded, optimizer: optimizer.handle(), accumulate, pending })
    }

    /// How many runs there were since the last update: 0 without [`accumulate`](StepOptions::accumulate). Their gradients are no
    /// part of a checkpoint.
    pub fn pending(&self) -> u32 {
        self.pending.load(Relaxed)
    }

    /// Runs the step on what lies in the slots; where gradients are accumulated, the parameters change in every run that completes a batch. It
    /// does not wait.
    ///
    /// # Errors
    /// The device's first fault.
    ///
    /// # Panics
    /// If the parameters were moved by an optimiser made after the recording.
    #[track_caller]
    pub fn run(&self) -> Result<(), StepError> {
        let done = self.pending();
        let step = self.optimizer.steps().wrapping_mul(self.accumulate).wrapping_add(done);
        self.recorded.slots.step.write(&[step]);
        let Some(update) = &self.recorded.update else {
            self.optimizer.begin_step();
            return self.recorded.replay();
        };
        if done == 0 {
            // Here, not after the update: others may use the optimiser in between.
            self.optimizer.clear_gradients();
        }
        self.recorded.replay()?;
        self.pending.store((done + 1) % self.accumulate, Relaxed);
        if done + 1 == self.accumulate {
            self.optimizer.begin_step();
            update.replay()?;
        }
        Ok(())
    }
}

/// A recorded evaluation step: forward, loss, metrics; no tape, so nothing is kept.
pub struct EvalStep {
    recorded: Recorded,
}

impl EvalStep {
    /// Records the evaluation of `net`; nothing runs yet. Make the optimiser first: it moves the parameters.
    ///
    /// # Errors
    /// If the network does not fit the input, or the device the step: then with the batch that would fit.
    #[track_caller]
    pub fn captured(net: &dyn Module, device: &Device, options: &StepOptions) -> Result<Self, StepError> {
        Self::captured_with(net, device, options, |_| {})
    }

    /// The same with kernels that run before: `prologue` may fill `x` and `labels` from other tensors on the device.
    ///
    /// # Errors
    /// As [`captured`](Self::captured).
    #[track_caller]
    pub fn captured_with(
        net: &dyn Module,
        device: &Device,
        options: &StepOptions,
        prologue: impl FnOnce(&Slots),
    ) -> Result<Self, StepError> {
        plan::check(net, device, None, options)?;
        Ok(Self { recorded: Recorded::evaluation(net, device, options, prologue)? })
    }

    /// Runs the step on what lies in the slots. It does not wait.
    ///
    /// # Errors
    /// The device's first fault.
    ///
    /// # Panics
    /// If the parameters were moved by an optimiser made after the recording.
    #[track_caller]
    pub fn run(&self) -> Result<(), StepError> {
        self.recorded.replay()
    }

    /// What the network gave in the last run: logits, or an image.
    pub fn output(&self) -> &Tensor {
        &self.recorded.output
    }
}

/// What both kinds of step can do.
macro_rules! common {
    ($step:ident) => {
        impl $step {
            /// The batch (N, C, H, W) that the next run reads.
            pub fn x(&self) -> &Tensor {
                &self.recorded.slots.x
            }
            /// The labels (N) that the next run reads.
            pub fn labels(&self) -> &Tensor {
                &self.recorded.slots.labels
            }
            /// All slots.
            pub fn slots(&self) -> &Slots {
                &self.recorded.slots
            }

            /// Writes a batch and its labels, and runs the step on them. It does not wait.
            ///
            /// # Errors
            /// The device's first fault.
            ///
            /// # Panics
            /// If there are more or fewer values than the slots hold.
            #[track_caller]
            pub fn run_on(&self, x: &[f32], labels: &[u32]) -> Result<(), StepError> {
                self.x().write(x);
                self.labels().write(labels);
                self.run()
            }

            /// Writes a batch and its targets, and runs the step on them. It does not wait.
            ///
            /// # Errors
            /// The device's first fault.
            ///
            /// # Panics
            /// If the loss takes no targets, or there are more or fewer values than the slots hold.
            #[track_caller]
            pub fn run_on_targets(&self, x: &[f32], targets: &[f32]) -> Result<(), StepError> {
                let Some(slot) = &self.slots().targets else { panic!("run_on_targets: the loss of this step takes no targets") };
                self.x().write(x);
                slot.write(targets);
                self.run()
            }

            /// The loss of the last run; waits for it.
            ///
            /// # Errors
            /// The device's first fault.
            pub fn loss(&self) -> Result<f32, StepError> {
                Ok(self.recorded.loss.item()?)
            }

            /// Loss and accuracy since the last reset; waits for the last run.
            ///
            /// # Errors
            /// The device's first fault.
            pub fn metrics(&self) -> Result<Metrics, StepError> {
                self.recorded.read_metrics()
            }

            /// The mean loss since the last reset; waits for the last run.
            ///
            /// # Errors
            /// The device's first fault.
            pub fn mean_loss(&self) -> Result<f64, StepError> {
                Ok(self.metrics()?.loss)
            }

            /// The accuracy (0 to 1) since the last reset; waits for the last run.
            ///
            /// # Errors
            /// The device's first fault.
            pub fn accuracy(&self) -> Result<f64, StepError> {
                Ok(self.metrics()?.accuracy)
            }

            /// Begins anew with loss and accuracy.
            pub fn reset_metrics(&self) {
                self.recorded.metrics.write(&[0f32; 4]);
            }

            /// The memory that the step takes; known before it runs.
            pub fn plan(&self) -> &MemoryPlan {
                &self.recorded.plan
            }

            /// Runs the step once more on what lies in the slots, kernel by kernel, for measurements: the name of each kernel and the seconds
            /// that it took, in order; none, and nothing is run, where a GPU's adapter has no timestamps. No update is counted.
            ///
            /// # Errors
            /// The device's first fault.
            pub fn profile(&self) -> Result<Option<Vec<(&'static str, f64)>>, StepError> {
                Ok(self.recorded.capture.replay_each_timed()?)
            }

            /// How many kernels one run launches, an accumulated update apart.
            pub fn dispatches(&self) -> usize {
                self.recorded.capture.len()
            }

            /// How many pipelines they share, which are compiled before the first run; none on the CPU device.
            pub fn pipelines(&self) -> usize {
                self.recorded.capture.pipelines()
            }
        }
    };
}
common!(TrainStep);
common!(EvalStep);
