//! A step of any losses, networks and optimisers, recorded once and replayed.

use super::error::StepError;
use super::input::{Input, Values, find};
use super::memory::MemoryPlan;
use super::parts::{Parts, Share};
use super::used::Used;
use crate::autograd::labels::LabelSlots;
use crate::autograd::spans::Span;
use crate::optim::Optimizer;
use gpu_core::{Capture, Tensor};
use parking_lot::{Mutex, MutexGuard};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// A step that a closure describes, recorded once and replayed: any number of inputs, networks, losses and optimisers. For a network with
/// one input and a loss of [`Loss`](super::Loss), [`TrainStep`](super::TrainStep) is shorter.
///
/// A variational autoencoder, or whatever else has two losses and draws numbers, is written as it is computed:
///
/// ```
/// use gpu_core::Device;
/// use gpu_core::ops::Reduction;
/// use nn::{Adam, Init, Layer, Linear, Net, Step, parameters};
/// struct Vae {
///     encoder: Net,
///     decoder: Net,
/// }
/// parameters!(Vae { encoder, decoder });
///
/// let device = Device::Cpu;
/// let cx = Init::seeded(&device, 0);
/// let vae = Vae { encoder: Linear::new(4).build(&cx, [4])?, decoder: Linear::new(4).build(&cx, [2])? };
/// let adam = Adam::new(&vae, 0.02);
/// let step = Step::on(&device).seed(7).input("x", [2, 4]).capture(|pass| {
///     let x = pass.input("x");
///     let code = vae.encoder.forward(&x);
///     let (mu, log_var) = (&code.narrow(1, 0, 2), &code.narrow(1, 2, 2));
///     let z = mu + pass.normal(mu.shape()) * (log_var / 2.0).exp();
///     let error = vae.decoder.forward(&z).mse_loss(&x, Reduction::Sum);
///     let kl = (mu * mu + log_var.exp() - log_var - 1.0).sum() / 2.0;
///     let loss = &error + kl;
///     pass.update(&adam, &loss);
///     pass.output("loss", &loss);
///     pass.output("error", &error);
/// })?;
///
/// let x = [0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0];
/// step.run(&[("x", &x)])?;
/// let first = step.value("loss")?;
/// for _ in 0..200 {
///     step.run(&[("x", &x)])?;
/// }
/// assert!(step.value("loss")? < first);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Step {
    pub(super) inputs: Vec<Input>,
    pub(super) number: Tensor,
    /// Whether runs differ by their number.
    pub(super) is_numbered: bool,
    pub(super) outputs: Vec<(String, Tensor)>,
    pub(super) optimizers: Vec<Arc<dyn Optimizer>>,
    pub(super) capture: Capture,
    /// The sums of the parts and the updates, where these do not follow every run.
    pub(super) parts: Option<Parts>,
    pub(super) share: Share,
    pub(super) runs: AtomicU32,
    pub(super) pending: AtomicU32,
    /// Held from the first input to the last kernel: threads that share a step run it one after the other.
    pub(super) running: Mutex<()>,
    pub(super) params: Vec<Used>,
    pub(super) labels: LabelSlots,
    /// Which launches of a run are which layer's.
    pub(super) spans: Vec<Span>,
    pub(super) plan: MemoryPlan,
}

impl Step {
    /// Fills the inputs and runs the step; it does not wait. An input takes a `Vec`, an array, a slice or a tensor. Of several threads,
    /// one runs the step after the other.
    ///
    /// # Errors
    /// The device's first fault.
    ///
    /// # Panics
    /// If an input is missing, given twice, of another type or length, or there is none of this name. If a label is none of the classes
    /// of a loss that reads it. If parameters were moved by an optimiser made after the recording, frozen or unfrozen. If the parts of a
    /// share are done and [`finish`](Self::finish) is due.
    #[track_caller]
    pub fn run(&self, inputs: &[(&str, &dyn Values)]) -> Result<(), StepError> {
        for (name, _) in inputs {
            find(&self.inputs, name);
        }
        let whole = self.whole();
        for Input { name, slot } in &self.inputs {
            let mut given = inputs.iter().filter(|(given, _)| given == name);
            let (Some((_, values)), None) = (given.next(), given.next()) else {
                panic!("step: the input \"{name}\" is to be given once in every run")
            };
            values.fill(name, slot, &self.labels);
        }
        self.replay(&whole)
    }

    /// Keeps other threads from filling the inputs until the run that follows is done.
    pub(super) fn whole(&self) -> MutexGuard<'_, ()> {
        self.running.lock()
    }

    /// Runs the step on what lies in its inputs.
    #[track_caller]
    pub(super) fn replay(&self, _whole: &MutexGuard<'_, ()>) -> Result<(), StepError> {
        self.params.iter().for_each(Used::expect_unchanged);
        assert!(!self.is_due(), "step: the parts of this share are done; finish the step before the next one");
        if self.is_numbered {
            self.number.write(&[self.next_number()]);
        }
        let Some(parts) = &self.parts else {
            self.begin_update();
            self.capture.replay()?;
            self.runs.fetch_add(1, Relaxed);
            return Ok(());
        };
        self.capture.replay()?;
        self.runs.fetch_add(1, Relaxed);
        let part = self.pending.fetch_add(1, Relaxed);
        let is_last = part + 1 == self.share.count;
        parts.add(part, is_last)?;
        if is_last && !self.share.is_shared() { self.update(parts) } else { Ok(()) }
    }

    fn begin_update(&self) {
        self.optimizers.iter().for_each(|optimizer| optimizer.begin_step());
    }

    fn update(&self, parts: &Parts) -> Result<(), StepError> {
        self.begin_update();
        self.pending.store(0, Relaxed);
        parts.update()
    }

    /// What random layers draw by: the steps of the optimiser, which a checkpoint brings back, or the runs where there is none.
    fn next_number(&self) -> u32 {
        match self.optimizers.first() {
            Some(optimizer) => optimizer.steps().wrapping_mul(self.share.of).wrapping_add(self.next_part()),
            None => self.runs.load(Relaxed),
        }
    }

    /// Which part of a batch the next run computes: 0 without [`accumulate`](super::StepBuilder::accumulate).
    pub fn next_part(&self) -> u32 {
        self.share.first + self.pending()
    }

    /// How many runs there were since the last update: 0 without [`accumulate`](super::StepBuilder::accumulate). Their gradients are no part
    /// of a checkpoint.
    pub fn pending(&self) -> u32 {
        self.pending.load(Relaxed)
    }

    /// Whether all parts of a [`share`](super::StepBuilder::share) are there and the update is to follow: [`finish`](Self::finish).
    pub fn is_due(&self) -> bool {
        self.share.is_shared() && self.pending() == self.share.count
    }

    /// The sums over the parts of a [`share`](super::StepBuilder::share), once they are [all there](Self::is_due): the gradients for each optimiser,
    /// each part's divided by the number of all parts, and the statistics that norms found in the same way. What
    /// [`join_shares`](crate::join_shares) makes of those of all shares is for [`finish`](Self::finish). Waits for the last run.
    ///
    /// # Errors
    /// The device's first fault.
    ///
    /// # Panics
    /// If the step has no update, or no parts.
    #[track_caller]
    pub fn part_sums(&self) -> Result<Vec<f32>, StepError> {
        self.expect_parts("part_sums").read()
    }

    /// How many numbers [`part_sums`](Self::part_sums) are.
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    pub fn part_sums_len(&self) -> usize {
        self.expect_parts("part_sums_len").len()
    }

    #[track_caller]
    fn expect_parts(&self, what: &str) -> &Parts {
        self.parts.as_ref().unwrap_or_else(|| panic!("{what}: this step is no share of another; see StepBuilder::share"))
    }

    /// The update by the sums of all shares.
    ///
    /// # Errors
    /// The device's first fault.
    ///
    /// # Panics
    /// If it is not [due](Self::is_due), or there are not as many sums as [`part_sums`](Self::part_sums).
    #[track_caller]
    pub fn finish(&self, sums: &[f32]) -> Result<(), StepError> {
        let _whole = self.whole();
        let parts = self.expect_parts("finish");
        assert!(self.is_due(), "finish: {} of the {} parts of this share are done", self.pending(), self.share.count);
        parts.write(sums);
        self.update(parts)
    }

    /// What the last run left as `name`, on the device.
    ///
    /// # Panics
    /// If there is no such output.
    #[track_caller]
    pub fn output(&self, name: &str) -> &Tensor {
        let Some((_, value)) = self.outputs.iter().find(|(known, _)| known == name) else {
            let names: Vec<&str> = self.outputs.iter().map(|(known, _)| known.as_str()).collect();
            panic!("step: there is no output \"{name}\"; there are: {}", names.join(", "))
        };
        value
    }

    /// The one number that the last run left as `name`; waits for it.
    ///
    /// # Errors
    /// The device's first fault.
    ///
    /// # Panics
    /// If there is no such output, or it has more elements than one.
    #[track_caller]
    pub fn value(&self, name: &str) -> Result<f32, StepError> {
        Ok(self.output(name).item()?)
    }

    /// All numbers that the last run left as `name`; waits for them.
    ///
    /// # Errors
    /// The device's first fault.
    ///
    /// # Panics
    /// If there is no such output.
    #[track_caller]
    pub fn values(&self, name: &str) -> Result<Vec<f32>, StepError> {
        Ok(self.output(name).to_vec()?)
    }

    /// [`value`](Self::value) without blocking the thread.
    ///
    /// # Errors
    /// The device's first fault.
    ///
    /// # Panics
    /// As [`value`](Self::value), at once.
    #[track_caller]
    pub fn value_async(&self, name: &str) -> impl Future<Output = Result<f32, StepError>> + Send + use<'_> {
        let value = self.output(name).item_async();
        async move { Ok(value.await?) }
    }

    /// [`values`](Self::values) without blocking the thread.
    ///
    /// # Errors
    /// The device's first fault.
    ///
    /// # Panics
    /// If there is no such output, at once.
    #[track_caller]
    pub fn values_async(&self, name: &str) -> impl Future<Output = Result<Vec<f32>, StepError>> + Send + use<'_> {
        let values = self.output(name).to_vec_async();
        async move { Ok(values.await?) }
    }

    /// Refuses `values` for `labels` if a loss of the step would pass over one of them.
    #[track_caller]
    pub(super) fn expect_labels(&self, what: &str, labels: &Tensor, values: &[u32]) {
        self.labels.expect(what, labels, values);
    }

    /// The memory that the step takes, its updates with it.
    pub fn plan(&self) -> &MemoryPlan {
        &self.plan
    }

    /// Runs the step once more on what lies in its inputs, kernel by kernel, for measurements: the name of each kernel and the seconds
    /// that it took, in order; none, and nothing is run, where a GPU's adapter has no timestamps. No update is counted.
    ///
    /// # Errors
    /// The device's first fault.
    ///
    /// # Panics
    /// If it has updates and has not run yet: their figures are written by a run.
    #[track_caller]
    pub fn profile(&self) -> Result<Option<Vec<(&'static str, f64)>>, StepError> {
        let written = self.optimizers.is_empty() || self.runs.load(Relaxed) > 0;
        assert!(written, "profile: the step has not run yet; run it once before");
        Ok(self.capture.replay_each_timed()?)
    }

    /// How many kernels one run launches, an accumulated update apart.
    pub fn dispatches(&self) -> usize {
        self.capture.len()
    }

    /// How many pipelines they share, which are compiled before the first run; none on the CPU device.
    pub fn pipelines(&self) -> usize {
        self.capture.pipelines()
    }
}
