//! The steps of a network and a loss: what [`TrainStep`](super::TrainStep) and [`EvalStep`](super::EvalStep) record.

use super::captured::{Step, StepBuilder};
use super::error::StepError;
use super::options::{Metrics, Slots, StepOptions};
use super::pass::StepPass;
use crate::autograd::Var;
use crate::module::Module;
use crate::optim::Optimizer;
use gpu_core::{Device, Shape, Tensor, ops};

pub(super) struct Supervised {
    pub slots: Slots,
    /// Sum of the losses, correct answers, images, and a spare.
    pub metrics: Tensor,
    pub step: Step,
}

/// The names of what can be read.
const LOSS: &str = "loss";
const OUTPUT: &str = "output";

/// What must lie on the device before the recording begins: nothing can be written in it.
struct Before {
    slots: Slots,
    metrics: Tensor,
    class_weights: Option<Tensor>,
    /// What one batch adds to the metrics, besides the loss times the first; none where a kernel counts right answers.
    counts: Option<[Tensor; 2]>,
}

impl Before {
    fn new(net: &dyn Module, device: &Device, options: &StepOptions, step: &Tensor) -> Result<Self, StepError> {
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
            step: step.clone(),
        };
        let images = options.batch as f32;
        let counts = || [[images, 0.0, 0.0, 0.0], [0.0, 0.0, images, 0.0]].map(|c| Tensor::from_slice(device, [4], &c));
        let counts = (!options.loss.has_labels()).then(counts);
        let class_weights = options.loss.class_weights(device, &options.class_weights, output)?;
        Ok(Self { slots, metrics: Tensor::zeros(device, [4]), class_weights, counts })
    }

    /// The network's output and its loss; the metrics are brought up to date.
    fn forward(&self, net: &dyn Module, options: &StepOptions, pass: &StepPass<'_>) -> [Var; 2] {
        let Slots { x, labels, targets, .. } = &self.slots;
        let output = net.forward(&pass.tape().input(x));
        let loss = options.loss.of(&output, labels, targets.as_ref().unwrap_or(x), self.class_weights.as_ref());
        if let Some([images, count]) = &self.counts {
            let sum = ops::add(&ops::mul(&loss.value().reshape([1]), images), count);
            ops::copy_into(&ops::add(&self.metrics, &sum), &self.metrics);
        } else {
            ops::accumulate_metrics(loss.value(), output.value(), labels, &self.metrics);
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
        let builder = Step::on(optimizer.device()).seed(options.seed).accumulate(options.accumulate);
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
        let builder = Step::on(device).seed(options.seed).evaluate().no_gradients();
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
        let before = Before::new(net, device, options, builder.number())?;
        let step = builder.capture(|pass| record(&before, pass))?;
        let Before { slots, metrics, .. } = before;
        Ok(Self { slots, metrics, step })
    }

    pub fn loss(&self) -> &Tensor {
        self.step.output(LOSS)
    }

    pub fn output(&self) -> &Tensor {
        self.step.output(OUTPUT)
    }

    pub fn sums(&self) -> Result<[f32; 4], StepError> {
        Ok(four(&self.metrics.to_vec()?))
    }

    pub fn metrics(&self) -> Result<Metrics, StepError> {
        Ok(Metrics::of_sums(self.sums()?))
    }

    pub async fn metrics_async(&self) -> Result<Metrics, StepError> {
        Ok(Metrics::of_sums(four(&self.metrics.read_async().await?)))
    }
}

fn four(sums: &[f32]) -> [f32; 4] {
    sums.try_into().expect("there are four sums")
}
