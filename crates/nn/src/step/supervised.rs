//! The steps of a network and a loss: what [`TrainStep`](super::TrainStep) and [`EvalStep`](super::EvalStep) record.

use super::builder::StepBuilder;
use super::captured::Step;
use super::error::StepError;
use super::options::{Metrics, Slots, StepOptions};
use super::pass::StepPass;
use crate::autograd::Var;
use crate::module::Module;
use crate::optim::Optimizer;
use gpu_core::ops::{MetricSums, Overlap};
use gpu_core::{Device, Shape, Tensor, ops};

pub(super) struct Supervised {
    pub slots: Slots,
    /// The [`MetricSums`] of the runs.
    pub sums: Tensor,
    /// The [`Overlap`] of each class, where pixels are told and evaluated.
    pub overlaps: Option<Tensor>,
    /// Labels of an image.
    rows: u64,
    pub step: Step,
}

/// The names of what can be read.
const LOSS: &str = "loss";
const OUTPUT: &str = "output";

/// What must lie on the device before the recording begins: nothing can be written in it.
struct Before {
    slots: Slots,
    sums: Tensor,
    overlaps: Option<Tensor>,
    class_weights: Option<Tensor>,
}

impl Before {
    fn new(net: &dyn Module, device: &Device, options: &StepOptions, builder: &StepBuilder) -> Result<Self, StepError> {
        let output = net.out_shape(options.shape())?;
        // A label for each place of logits (N, C, ...); one for an image where there are none.
        let labels: Vec<usize> = match options.loss.has_labels() && output.rank() >= 2 {
            true => [&output.dims()[..1], &output.dims()[2..]].concat(),
            false => vec![options.batch],
        };
        let labels = Shape::new(&labels);
        let slots = Slots {
            x: Tensor::zeros(device, options.shape()),
            labels: Tensor::from_slice(device, labels, &vec![0u32; labels.len()]),
            targets: options.loss.has_targets().then(|| Tensor::zeros(device, output)),
            step: builder.number().clone(),
        };
        let class_weights = options.loss.class_weights(device, &options.class_weights, output)?;
        let overlaps = (options.loss.is_of_pixels() && !builder.is_training()).then(|| Overlap::zeros(device, output.c()));
        Ok(Self { slots, sums: MetricSums::zeros(device), overlaps, class_weights })
    }

    /// The network's output and its loss; the sums are brought up to date.
    fn forward(&self, net: &dyn Module, options: &StepOptions, pass: &StepPass<'_>) -> [Var; 2] {
        let Slots { x, labels, targets, .. } = &self.slots;
        let output = net.forward(&pass.tape().input(x));
        let loss = options.loss.of(&output, labels, targets.as_ref().unwrap_or(x), self.class_weights.as_ref());
        if let Some(overlaps) = &self.overlaps {
            ops::accumulate_overlaps(output.value(), labels, overlaps);
        }
        // Of pixels some do not count, which these sums know nothing of.
        match options.loss.has_labels() && !options.loss.is_of_pixels() {
            true => ops::accumulate_metrics(loss.value(), output.value(), labels, &self.sums),
            false => ops::accumulate_loss(loss.value(), options.batch, &self.sums),
        }
        [output, loss]
    }
}

impl Supervised {
    #[track_caller]
    pub fn training(
        net: &dyn Module,
        optimizer: &dyn Optimizer,
        options: &StepOptions,
        prologue: impl FnOnce(&Slots),
    ) -> Result<Self, StepError> {
        let builder = Step::on(optimizer.device()).seed(options.seed).precision(options.precision).of_share(options.share);
        Self::record(net, optimizer.device(), options, builder, |before, pass| {
            prologue(&before.slots);
            let [output, loss] = before.forward(net, options, pass);
            // The output is not held over the backward pass: only the loss is asked for afterwards.
            drop(output);
            pass.update(optimizer, &loss);
            pass.output(LOSS, &loss);
        })
    }

    pub fn evaluation(
        net: &dyn Module,
        device: &Device,
        options: &StepOptions,
        prologue: impl FnOnce(&Slots),
    ) -> Result<Self, StepError> {
        let builder = Step::on(device).seed(options.seed).precision(options.precision).evaluate().no_gradients();
        Self::record(net, device, options, builder, |before, pass| {
            prologue(&before.slots);
            let [output, loss] = before.forward(net, options, pass);
            pass.output(OUTPUT, &output);
            pass.output(LOSS, &loss);
        })
    }

    #[track_caller]
    fn record(
        net: &dyn Module,
        device: &Device,
        options: &StepOptions,
        builder: StepBuilder,
        record: impl FnOnce(&Before, &StepPass<'_>),
    ) -> Result<Self, StepError> {
        let before = Before::new(net, device, options, &builder)?;
        let step = builder.filled(&before.slots.labels).capture(|pass| record(&before, pass))?;
        let Before { slots, sums, overlaps, .. } = before;
        let rows = (slots.labels.len() / options.batch) as u64;
        Ok(Self { slots, sums, overlaps, rows, step })
    }

    pub fn loss(&self) -> &Tensor {
        self.step.output(LOSS)
    }

    pub fn output(&self) -> &Tensor {
        self.step.output(OUTPUT)
    }

    pub fn sums(&self) -> Result<[u32; MetricSums::WORDS], StepError> {
        Ok(words(&self.sums.read()?))
    }

    pub fn metrics(&self) -> Result<Metrics, StepError> {
        Ok(Metrics::of(self.sums()?, self.rows))
    }

    pub async fn metrics_async(&self) -> Result<Metrics, StepError> {
        Ok(Metrics::of(words(&self.sums.read_async().await?), self.rows))
    }

    pub fn reset_metrics(&self) {
        self.sums.write(&[0u32; MetricSums::WORDS]);
        self.overlaps.iter().for_each(|overlaps| overlaps.write(&vec![0u32; overlaps.len()]));
    }
}

fn words(sums: &[u32]) -> [u32; MetricSums::WORDS] {
    sums.try_into().expect("the tensor has as many words")
}
