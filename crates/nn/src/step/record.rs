//! The recording of a step.

use super::{Loss, MemoryPlan, Metrics, Slots, StepError, StepOptions};
use crate::module::{Module, ShapeError, parameters};
use crate::optim::Optimizer;
use crate::param::Param;
use crate::tape::Tape;
use crate::var::Var;
use gpu_core::ops::{CrossEntropy, Reduction};
use gpu_core::{Capture, Device, Shape, Tensor, ops};

pub(super) struct Recorded {
    pub slots: Slots,
    pub capture: Capture,
    /// The update, where it does not follow every run.
    pub update: Option<Capture>,
    pub loss: Tensor,
    pub output: Tensor,
    /// Sum of the losses, correct answers, images, and a spare.
    pub metrics: Tensor,
    pub plan: MemoryPlan,
    /// Where the parameters lay.
    parameters: Vec<(String, Param, Tensor)>,
}

/// What must lie on the device before the recording begins: nothing can be written in it.
struct Before {
    slots: Slots,
    metrics: Tensor,
    /// A weight for each class, for the shape that the loss wants.
    class_weights: Option<Tensor>,
    /// What one batch adds to the metrics, besides the loss times the first; none where a kernel counts right answers.
    counts: Option<[Tensor; 2]>,
}

impl Before {
    fn new(net: &dyn Module, device: &Device, options: &StepOptions) -> Result<Self, StepError> {
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
            step: Tensor::from_slice(device, [1], &[0u32]),
        };
        let images = options.batch as f32;
        let counts = || [[images, 0.0, 0.0, 0.0], [0.0, 0.0, images, 0.0]].map(|c| Tensor::from_slice(device, [4], &c));
        let counts = (!options.loss.has_labels()).then(counts);
        let class_weights = class_weights(device, options, output)?;
        Ok(Self { slots, metrics: Tensor::zeros(device, [4]), class_weights, counts })
    }

    /// The network's output and its loss; the metrics are brought up to date.
    fn forward(&self, net: &dyn Module, x: &Var, loss: Loss) -> [Var; 2] {
        let output = net.forward(x);
        let value = self.loss(&output, loss);
        if let Some([images, count]) = &self.counts {
            let sum = ops::add(&ops::mul(&value.value().reshape([1]), images), count);
            ops::copy_into(&ops::add(&self.metrics, &sum), &self.metrics);
        } else {
            ops::accumulate_metrics(value.value(), output.value(), &self.slots.labels, &self.metrics);
        }
        [output, value]
    }

    fn loss(&self, output: &Var, loss: Loss) -> Var {
        let options = |smoothing| CrossEntropy { smoothing, weight: self.class_weights.clone(), ..CrossEntropy::default() };
        if let Loss::CrossEntropy { smoothing } = loss {
            return output.cross_entropy(&self.slots.labels, options(smoothing));
        }
        let targets = Var::constant(self.slots.targets.as_ref().unwrap_or(&self.slots.x));
        match loss {
            Loss::SoftCrossEntropy { smoothing } => output.soft_cross_entropy(&targets, options(smoothing)),
            Loss::L1 => output.l1_loss(&targets, Reduction::Mean),
            Loss::SmoothL1 { beta } => output.smooth_l1_loss(&targets, beta, Reduction::Mean),
            Loss::Huber { delta } => output.huber_loss(&targets, delta, Reduction::Mean),
            Loss::BceWithLogits => output.bce_with_logits(&targets, None, self.class_weights.as_ref(), Reduction::Mean),
            Loss::CrossEntropy { .. } | Loss::Reconstruction | Loss::Mse => output.mse_loss(&targets, Reduction::Mean),
        }
    }
}

/// The classes' weights: (C), or (C, 1, 1) where they are to be broadcast over logits (N, C, H, W).
fn class_weights(device: &Device, options: &StepOptions, output: Shape) -> Result<Option<Tensor>, StepError> {
    let weights = &options.class_weights;
    if weights.is_empty() {
        return Ok(None);
    }
    let classes = if output.rank() >= 2 { output.c() } else { 0 };
    if weights.len() != classes {
        let message = format!("{} class weights are given for an output of shape {output}", weights.len());
        return Err(ShapeError::new(message).into());
    }
    let mut dims = vec![classes];
    if options.loss == Loss::BceWithLogits {
        dims.resize(output.rank() - 1, 1);
    }
    Ok(Some(Tensor::from_slice(device, dims.as_slice(), weights)))
}

impl Recorded {
    pub fn training(
        net: &dyn Module,
        optimizer: &dyn Optimizer,
        options: &StepOptions,
        prologue: impl FnOnce(&Slots),
    ) -> Result<Self, StepError> {
        let device = optimizer.device();
        let mut recorded = Self::new(net, device, options, |before| {
            prologue(&before.slots);
            let tape = Tape::seeded(device, options.seed, &before.slots.step);
            let [output, loss] = before.forward(net, &tape.input(&before.slots.x), options.loss);
            // The output is not held over the backward pass: only the loss is asked for afterwards.
            drop(output);
            match options.accumulate {
                1 => optimizer.apply(&loss.backward()),
                runs => optimizer.gather(&loss.backward(), 1.0 / runs as f32, true),
            }
            [loss.value().clone(), loss.value().clone()]
        })?;
        if options.accumulate > 1 {
            let ((), update) = device.capture(|| optimizer.update())?;
            let MemoryPlan { in_use_bytes, step_bytes, .. } = recorded.plan;
            recorded.plan = MemoryPlan::new(device, in_use_bytes, step_bytes + update.bytes());
            recorded.update = Some(update);
        }
        Ok(recorded)
    }

    pub fn evaluation(
        net: &dyn Module,
        device: &Device,
        options: &StepOptions,
        prologue: impl FnOnce(&Slots),
    ) -> Result<Self, StepError> {
        Self::new(net, device, options, |before| {
            prologue(&before.slots);
            let [output, loss] = before.forward(net, &Var::constant(&before.slots.x), options.loss);
            [output.value().clone(), loss.value().clone()]
        })
    }

    fn new(
        net: &dyn Module,
        device: &Device,
        options: &StepOptions,
        record: impl FnOnce(&Before) -> [Tensor; 2],
    ) -> Result<Self, StepError> {
        let before = Before::new(net, device, options)?;
        let in_use_bytes = super::plan::in_use(device);
        let ([output, loss], capture) = device.capture(|| record(&before))?;
        let plan = MemoryPlan::new(device, in_use_bytes, capture.bytes());
        let parameters = parameters(net).into_iter().map(|(key, param)| {
            let value = param.value();
            (key, param, value)
        });
        let parameters = parameters.collect();
        let Before { slots, metrics, .. } = before;
        Ok(Self { slots, capture, update: None, loss, output, metrics, plan, parameters })
    }

    #[track_caller]
    pub fn replay(&self) -> Result<(), StepError> {
        for (key, param, value) in &self.parameters {
            let here = param.value().shares_storage(value);
            assert!(here, "step: {key} was moved by an optimizer made after the recording; record the step again");
        }
        Ok(self.capture.replay()?)
    }

    pub fn read_metrics(&self) -> Result<Metrics, StepError> {
        let sums = self.metrics.to_vec()?;
        let [loss, correct, images] = [sums[0], sums[1], sums[2]].map(f64::from);
        Ok(Metrics { images: images as u64, loss: loss / images, accuracy: correct / images })
    }
}
