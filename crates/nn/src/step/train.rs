//! The steps of a network with one input and a loss.

use super::error::StepError;
use super::fit;
use super::memory::MemoryPlan;
use super::options::{Metrics, Slots, StepOptions};
use super::supervised::Supervised;
use crate::module::Module;
use crate::optim::Optimizer;
use gpu_core::ops::{MetricSums, Overlap};
use gpu_core::{Device, Tensor};

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
    recorded: Supervised,
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
        fit::check(net, optimizer.device(), Some(optimizer), options)?;
        Ok(Self { recorded: Supervised::training(net, optimizer, options, prologue)? })
    }

    /// How many runs there were since the last update: 0 without [`accumulate`](StepOptions::accumulate). Their gradients are no
    /// part of a checkpoint.
    pub fn pending(&self) -> u32 {
        self.recorded.step.pending()
    }

    /// Which part of a batch the next run computes: 0 without [`accumulate`](StepOptions::accumulate).
    pub fn next_part(&self) -> u32 {
        self.recorded.step.next_part()
    }

    /// Whether all parts of a [`share`](StepOptions::share) are there and the update is to follow.
    pub fn is_due(&self) -> bool {
        self.recorded.step.is_due()
    }

    /// The sums over the parts of a [`share`](StepOptions::share), to be joined with those of the others; see
    /// [`Step::part_sums`](super::Step::part_sums).
    ///
    /// # Errors
    /// The device's first fault.
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    pub fn part_sums(&self) -> Result<Vec<f32>, StepError> {
        self.recorded.step.part_sums()
    }

    /// How many numbers [`part_sums`](Self::part_sums) are.
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    pub fn part_sums_len(&self) -> usize {
        self.recorded.step.part_sums_len()
    }

    /// The update by the sums of all shares.
    ///
    /// # Errors
    /// The device's first fault.
    ///
    /// # Panics
    /// As [`Step::finish`](super::Step::finish).
    #[track_caller]
    pub fn finish(&self, sums: &[f32]) -> Result<(), StepError> {
        self.recorded.step.finish(sums)
    }

    /// Goes on from such [`sums`](Self::sums).
    pub fn set_sums(&self, sums: [u32; MetricSums::WORDS]) {
        self.recorded.sums.write(&sums);
    }
}

/// A recorded evaluation step: forward, loss, metrics; no gradients, so nothing is kept.
pub struct EvalStep {
    recorded: Supervised,
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
        fit::check(net, device, None, options)?;
        Ok(Self { recorded: Supervised::evaluation(net, device, options, prologue)? })
    }

    /// What was counted of each class since the last reset, where the loss is [`Segmentation`](super::Loss::Segmentation); nothing of other
    /// losses. Waits for the last run.
    ///
    /// ```
    /// # use gpu_core::Device;
    /// # use nn::{Conv2d, EvalStep, Init, Layer, Loss, StepOptions, seq};
    /// let net = seq![Conv2d::new(2, 1)].build(&Init::seeded(&Device::Cpu, 0), [1, 2, 2])?;
    /// let options = StepOptions::new(1, [1, 2, 2]).loss(Loss::Segmentation { smoothing: 0.0, dice: false });
    /// let step = EvalStep::captured(&net, &Device::Cpu, &options)?;
    /// step.run_on(&[0.0; 4], &[0, 1, 1, Loss::IGNORED])?;
    /// assert_eq!(step.overlaps()?.iter().map(|class| class.labelled).collect::<Vec<_>>(), [1, 2]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The device's first fault.
    pub fn overlaps(&self) -> Result<Vec<Overlap>, StepError> {
        match &self.recorded.overlaps {
            None => Ok(Vec::new()),
            Some(overlaps) => Ok(Overlap::of(&overlaps.read()?)),
        }
    }

    /// What the network gave in the last run: logits, or an image.
    pub fn output(&self) -> &Tensor {
        self.recorded.output()
    }
}

/// What both kinds of step can do.
macro_rules! common {
    ($step:ident) => {
        impl $step {
            /// Runs the step on what lies in the slots; where gradients are accumulated, the parameters change in every run that completes
            /// a batch. It does not wait.
            ///
            /// # Errors
            /// The device's first fault.
            ///
            /// # Panics
            /// If parameters were moved by an optimiser made after the recording, frozen or unfrozen.
            #[track_caller]
            pub fn run(&self) -> Result<(), StepError> {
                let whole = self.recorded.step.whole();
                self.recorded.step.replay(&whole)
            }

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
            /// If there are more or fewer values than the slots hold, or a label is none of the network's classes.
            #[track_caller]
            pub fn run_on(&self, x: &[f32], labels: &[u32]) -> Result<(), StepError> {
                self.recorded.step.expect_labels("run_on", self.labels(), labels);
                let whole = self.recorded.step.whole();
                self.x().write(x);
                self.labels().write(labels);
                self.recorded.step.replay(&whole)
            }

            /// Refuses labels that are none of the network's classes, such as those of a whole data set: a device passes over them in
            /// silence.
            ///
            /// # Panics
            /// If there is one.
            #[track_caller]
            pub fn expect_labels(&self, labels: &[u32]) {
                self.recorded.step.expect_labels("expect_labels", self.labels(), labels);
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
                let whole = self.recorded.step.whole();
                self.x().write(x);
                slot.write(targets);
                self.recorded.step.replay(&whole)
            }

            /// The loss of the last run; waits for it.
            ///
            /// # Errors
            /// The device's first fault.
            pub fn loss(&self) -> Result<f32, StepError> {
                Ok(self.recorded.loss().item()?)
            }

            /// [`loss`](Self::loss) without blocking the thread.
            ///
            /// # Errors
            /// The device's first fault.
            pub async fn loss_async(&self) -> Result<f32, StepError> {
                Ok(self.recorded.loss().item_async().await?)
            }

            /// Loss and accuracy since the last reset; waits for the last run.
            ///
            /// # Errors
            /// The device's first fault.
            pub fn metrics(&self) -> Result<Metrics, StepError> {
                self.recorded.metrics()
            }

            /// [`metrics`](Self::metrics) without blocking the thread.
            ///
            /// # Errors
            /// The device's first fault.
            pub async fn metrics_async(&self) -> Result<Metrics, StepError> {
                self.recorded.metrics_async().await
            }

            /// The [`MetricSums`] since the last reset, of which [`metrics`](Self::metrics) are: a checkpoint that has them goes on to the
            /// same bits. Waits for the last run.
            ///
            /// # Errors
            /// The device's first fault.
            pub fn sums(&self) -> Result<[u32; MetricSums::WORDS], StepError> {
                self.recorded.sums()
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
                self.recorded.reset_metrics();
            }

            /// The memory that the step takes; known before it runs.
            pub fn plan(&self) -> &MemoryPlan {
                self.recorded.step.plan()
            }

            /// Runs the step once more on what lies in the slots, kernel by kernel, for measurements: the name of each kernel and the seconds
            /// that it took, in order; none, and nothing is run, where a GPU's adapter has no timestamps. No update is counted.
            ///
            /// # Errors
            /// The device's first fault.
            ///
            /// # Panics
            /// If it has an update and has not run yet: the figures of an update are written by a run.
            #[track_caller]
            pub fn profile(&self) -> Result<Option<Vec<(&'static str, f64)>>, StepError> {
                self.recorded.step.profile()
            }

            /// How many kernels one run launches, an accumulated update apart.
            pub fn dispatches(&self) -> usize {
                self.recorded.step.dispatches()
            }

            /// How many pipelines they share, which are compiled before the first run; none on the CPU device.
            pub fn pipelines(&self) -> usize {
                self.recorded.step.pipelines()
            }
        }
    };
}
common!(TrainStep);
common!(EvalStep);
