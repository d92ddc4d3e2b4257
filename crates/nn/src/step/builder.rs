//! How a [`Step`] is put together and recorded.

use super::captured::Step;
use super::error::StepError;
use super::input::Input;
use super::memory::{MemoryPlan, in_use};
use super::parts::{Parts, Share};
use super::pass::{Recorded, StepPass};
use super::used::Used;
use crate::autograd::labels::LabelSlots;
use crate::autograd::spans::Spans;
use crate::autograd::statistics::Statistics;
use crate::autograd::{Precision, Tape};
use gpu_core::{DType, Device, Shape, Tensor};
use parking_lot::Mutex;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// The options of a [`Step`].
#[must_use]
pub struct StepBuilder {
    device: Device,
    training: bool,
    gradients: bool,
    seed: Option<u64>,
    precision: Precision,
    share: Share,
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
            precision: Precision::F32,
            share: Share::whole(1),
            number: Tensor::from_slice(device, [1], &[0u32]),
            inputs: Vec::new(),
            labels: None,
        }
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

    /// With products of another precision than f32; see [`Precision`].
    pub fn precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
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
    /// optimisers come together, after the last of the runs. A norm over the batch sees one part at a time, and its running statistics are
    /// moved once for all parts, by the mean of what it found in each (Hoffer et al., "Train longer, generalize better", 2017: ghost batch
    /// normalisation).
    ///
    /// # Panics
    /// If `runs` is 0.
    #[track_caller]
    pub fn accumulate(self, runs: u32) -> Self {
        assert!(runs > 0, "step: an update after 0 runs");
        self.of_share(Share::whole(runs))
    }

    /// Only `parts` of a batch of `of` parts, of which other steps compute the others, on other devices or machines. The update does not
    /// follow by itself: when it [is due](Step::is_due), the [sums](Step::part_sums) of all shares are to be
    /// [joined](crate::join_shares), and the step is to be [finished](Step::finish). It is then the one of [`accumulate(of)`](Self::accumulate),
    /// to the bit, on any number of devices that compute alike.
    ///
    /// ```
    /// use gpu_core::Device;
    /// use nn::{Init, Layer, Linear, Net, Sgd, Step, join_shares};
    /// let built = || Linear::new(1).build(&Init::seeded(&Device::Cpu, 0), [2]);
    /// let (alone, one, other): (Net, Net, Net) = (built()?, built()?, built()?);
    /// let [of_alone, of_one, of_other] = [&alone, &one, &other].map(|net| Sgd::new(net, 0.1));
    /// let record = |net: &Net, sgd: &Sgd, builder: nn::StepBuilder| {
    ///     builder.input("x", [1, 2]).capture(|pass| pass.update(sgd, &net.forward(&pass.input("x")).square().mean()))
    /// };
    /// let whole = record(&alone, &of_alone, Step::on(&Device::Cpu).accumulate(2))?;
    /// let shares = [
    ///     record(&one, &of_one, Step::on(&Device::Cpu).share(0..1, 2))?,
    ///     record(&other, &of_other, Step::on(&Device::Cpu).share(1..2, 2))?,
    /// ];
    /// for (x, share) in [[1.0, 2.0], [3.0, 4.0]].iter().zip(&shares) {
    ///     whole.run(&[("x", x)])?;
    ///     share.run(&[("x", x)])?;
    /// }
    /// let sums = join_shares(shares.iter().map(|share| share.part_sums()).collect::<Result<_, _>>()?);
    /// for share in &shares {
    ///     share.finish(&sums)?;
    /// }
    /// let weights = |net: &Net| net.param("weight").value().to_vec();
    /// assert!(weights(&alone)? == weights(&one)? && weights(&one)? == weights(&other)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    /// If `parts` are none, or none of the `of`, or not 1, 2, 4, 8, ... neighbours of which the first is a multiple of their number, or all.
    #[track_caller]
    pub fn share(self, parts: Range<u32>, of: u32) -> Self {
        self.of_share(Share::part(of, parts))
    }

    pub(super) fn of_share(self, share: Share) -> Self {
        Self { share, ..self }
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
        let Self { device, training, gradients, precision, share, number, inputs, labels, .. } = self;
        // Those of steps without a seed come from the other end.
        static NEXT: AtomicU64 = AtomicU64::new(u64::MAX);
        let seed = self.seed.unwrap_or_else(|| NEXT.fetch_sub(1, Relaxed));
        let slots = inputs.iter().map(|input| &input.slot).filter(|slot| slot.dtype() == DType::U32);
        let labels = LabelSlots::of(slots.cloned().chain(labels));
        let in_use_bytes = in_use(&device);
        let ((recorded, found, spans), capture) = device.capture(|| {
            let spans = Spans::on(&device);
            let statistics = if share.of > 1 { Statistics::apart() } else { Statistics::default() };
            let mut options = Tape::pass(&device).precision(precision).seed(seed).step_in(&number);
            options = options.labels(&labels).spans(&spans).statistics(&statistics);
            options = if training { options } else { options.evaluate() };
            options = if gradients { options } else { options.no_gradients() };
            let pass = StepPass::new(&inputs, share.of, options.tape());
            record(&pass);
            let found = statistics.found();
            (pass.finish(&found.blocks), found, spans.all())
        })?;
        let params = recorded.params().into_iter().map(|param| Used::new(param, training || gradients));
        let (params, is_numbered) = (params.collect(), training || recorded.draws());
        let Recorded { outputs, optimizers, sums, .. } = recorded;
        let parts = (!sums.is_empty()).then(|| Parts::new(&device, share.count, sums, &optimizers, &found));
        let parts = parts.transpose()?;
        let step_bytes = capture.bytes() + parts.as_ref().map_or(0, Parts::bytes);
        let plan = MemoryPlan::new(&device, in_use_bytes, step_bytes);
        Ok(Step {
            inputs,
            number,
            is_numbered,
            outputs,
            optimizers,
            capture,
            parts,
            share,
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
