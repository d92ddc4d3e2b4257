//! A step of any losses, networks and optimisers, recorded once and replayed.

use super::error::StepError;
use super::input::{Input, Values, find};
use super::memory::{MemoryPlan, in_use};
use super::pass::{Recorded, StepPass};
use super::used::Used;
use crate::autograd::Tape;
use crate::autograd::labels::LabelSlots;
use crate::autograd::spans::{Span, Spans};
use crate::optim::Optimizer;
use gpu_core::{Capture, DType, Device, Shape, Tensor};
use parking_lot::{Mutex, MutexGuard};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

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
    inputs: Vec<Input>,
    number: Tensor,
    /// Whether runs differ by their number.
    is_numbered: bool,
    outputs: Vec<(String, Tensor)>,
    optimizers: Vec<Arc<dyn Optimizer>>,
    capture: Capture,
    /// The updates, where they do not follow every run.
    update: Option<Capture>,
    accumulate: u32,
    runs: AtomicU32,
    pending: AtomicU32,
    /// Held from the first input to the last kernel: threads that share a step run it one after the other.
    running: Mutex<()>,
    params: Vec<Used>,
    labels: LabelSlots,
    /// Which launches of a run are which layer's.
    pub(super) spans: Vec<Span>,
    plan: MemoryPlan,
}

/// The options of a [`Step`].
#[must_use]
pub struct StepBuilder {
    device: Device,
    training: bool,
    gradients: bool,
    seed: Option<u64>,
    accumulate: u32,
    number: Tensor,
    inputs: Vec<Input>,
    /// Labels beside those of the inputs.
    labels: Option<Tensor>,
}

impl Step {
    /// A step on `device`; see [`StepBuilder`] for its options.
    pub fn on(device: &Device) -> StepBuilder {
        StepBuilder {
            device: device.clone(),
            training: true,
            gradients: true,
            seed: None,
            accumulate: 1,
            number: Tensor::from_slice(device, [1], &[0u32]),
            inputs: Vec::new(),
            labels: None,
        }
    }

    /// Fills the inputs and runs the step; it does not wait. An input takes a `Vec`, an array, a slice or a tensor. Of several threads,
    /// one runs the step after the other.
    ///
    /// # Errors
    /// The device's first fault.
    ///
    /// # Panics
    /// If an input is missing, given twice, of another type or length, or there is none of this name. If a label is none of the classes
    /// of a loss that reads it. If parameters were moved by an optimiser made after the recording, frozen or unfrozen.
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
        let done = self.pending();
        if self.is_numbered {
            self.number.write(&[self.next_number()]);
        }
        let Some(update) = &self.update else {
            self.optimizers.iter().for_each(|optimizer| optimizer.begin_step());
            self.capture.replay()?;
            self.runs.fetch_add(1, Relaxed);
            return Ok(());
        };
        if done == 0 {
            // Here, not after the update: others may use the optimiser in between.
            self.optimizers.iter().for_each(|optimizer| optimizer.clear_gradients());
        }
        self.capture.replay()?;
        self.runs.fetch_add(1, Relaxed);
        self.pending.store((done + 1) % self.accumulate, Relaxed);
        if done + 1 == self.accumulate {
            self.optimizers.iter().for_each(|optimizer| optimizer.begin_step());
            update.replay()?;
        }
        Ok(())
    }

    /// What random layers draw by: the steps of the optimiser, which a checkpoint brings back, or the runs where there is none.
    fn next_number(&self) -> u32 {
        match self.optimizers.first() {
            Some(optimizer) => optimizer.steps().wrapping_mul(self.accumulate).wrapping_add(self.pending()),
            None => self.runs.load(Relaxed),
        }
    }

    /// How many runs there were since the last update: 0 without [`accumulate`](StepBuilder::accumulate). Their gradients are no part
    /// of a checkpoint.
    pub fn pending(&self) -> u32 {
        self.pending.load(Relaxed)
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

impl StepBuilder {
    /// With an input of f32 values that each run gives.
    ///
    /// # Panics
    /// If there is one of this name.
    #[track_caller]
    pub fn input(self, name: &str, shape: impl Into<Shape>) -> Self {
        self.with(name, shape.into(), DType::F32)
    }

    /// With an input of u32 labels that each run gives.
    ///
    /// # Panics
    /// If there is one of this name.
    #[track_caller]
    pub fn labels(self, name: &str, shape: impl Into<Shape>) -> Self {
        self.with(name, shape.into(), DType::U32)
    }

    #[track_caller]
    fn with(mut self, name: &str, shape: Shape, dtype: DType) -> Self {
        assert!(self.inputs.iter().all(|known| known.name != name), "step: two inputs are called \"{name}\"");
        self.inputs.push(Input::new(name, &self.device, shape, dtype));
        self
    }

    /// With chosen random numbers. Without a seed they are others for every step of the process.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// In evaluation mode; see [`Pass::evaluate`](crate::Pass::evaluate).
    pub fn evaluate(self) -> Self {
        Self { training: false, ..self }
    }

    /// Without gradients; see [`Pass::no_gradients`](crate::Pass::no_gradients).
    pub fn no_gradients(self) -> Self {
        Self { gradients: false, ..self }
    }

    /// Each update after `runs` runs, by the mean of their gradients: a batch in parts, where the whole would not fit. The updates of all
    /// optimisers come together, after the last of the runs.
    ///
    /// # Panics
    /// If `runs` is 0.
    #[track_caller]
    pub fn accumulate(self, runs: u32) -> Self {
        assert!(runs > 0, "step: an update after 0 runs");
        Self { accumulate: runs, ..self }
    }

    /// With labels that are filled by other ways than [`Step::run`].
    pub(super) fn filled(self, labels: &Tensor) -> Self {
        Self { labels: Some(labels.clone()), ..self }
    }

    /// Whether layers train in it.
    pub(super) fn is_training(&self) -> bool {
        self.training
    }

    /// How many steps were done before this one: u32 `[1]`.
    pub(super) fn number(&self) -> &Tensor {
        &self.number
    }

    /// Records what `record` computes; nothing runs yet. Networks and other tensors are used as they are at each run; a number that the
    /// closure reads from the host is written into the recording.
    ///
    /// # Errors
    /// If the device cannot hold the step.
    ///
    /// # Panics
    /// If this thread is capturing already.
    #[track_caller]
    pub fn capture(self, record: impl FnOnce(&StepPass<'_>)) -> Result<Step, StepError> {
        let Self { device, training, gradients, accumulate, number, inputs, labels, .. } = self;
        // Those of steps without a seed come from the other end.
        static NEXT: AtomicU64 = AtomicU64::new(u64::MAX);
        let seed = self.seed.unwrap_or_else(|| NEXT.fetch_sub(1, Relaxed));
        let slots = inputs.iter().map(|input| &input.slot).filter(|slot| slot.dtype() == DType::U32);
        let labels = LabelSlots::of(slots.cloned().chain(labels));
        let in_use_bytes = in_use(&device);
        let ((recorded, spans), capture) = device.capture(|| {
            let spans = Spans::on(&device);
            let mut options = Tape::pass(&device).seed(seed).step_in(&number).labels(&labels).spans(&spans);
            options = if training { options } else { options.evaluate() };
            options = if gradients { options } else { options.no_gradients() };
            let pass = StepPass::new(&inputs, accumulate, options.tape());
            record(&pass);
            (pass.finish(), spans.all())
        })?;
        let params = recorded.params().into_iter().map(|param| Used::new(param, training || gradients));
        let (params, is_numbered) = (params.collect(), training || recorded.draws());
        let Recorded { outputs, optimizers, .. } = recorded;
        let update = (accumulate > 1 && !optimizers.is_empty())
            .then(|| device.capture(|| optimizers.iter().for_each(|optimizer| optimizer.update())));
        let update = update.transpose()?.map(|(_, update)| update);
        let step_bytes = capture.bytes() + update.as_ref().map_or(0, Capture::bytes);
        let plan = MemoryPlan::new(&device, in_use_bytes, step_bytes);
        Ok(Step {
            inputs,
            number,
            is_numbered,
            outputs,
            optimizers,
            capture,
            update,
            accumulate,
            runs: AtomicU32::new(0),
            pending: AtomicU32::new(0),
            running: Mutex::default(),
            params,
            labels,
            spans,
            plan,
        })
    }
}
