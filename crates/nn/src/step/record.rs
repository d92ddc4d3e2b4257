//! The recording of a step.

use super::{Loss, MemoryPlan, Metrics, Slots, StepError, StepOptions};
use crate::module::{Module, parameters};
use crate::optim::Optimizer;
use crate::param::Param;
use crate::tape::Tape;
use crate::var::Var;
use gpu_core::{Capture, Device, Tensor, ops};

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
    /// What one batch adds to the metrics, besides the loss times the first.
    counts: [Tensor; 2],
}

impl Before {
    fn new(device: &Device, options: &StepOptions) -> Self {
        let slots = Slots {
            x: Tensor::zeros(device, options.shape()),
            labels: Tensor::from_slice(device, [options.batch], &vec![0u32; options.batch]),
            step: Tensor::from_slice(device, [1], &[0u32]),
        };
        let images = options.batch as f32;
        let counts = [[images, 0.0, 0.0, 0.0], [0.0, 0.0, images, 0.0]].map(|c| Tensor::from_slice(device, [4], &c));
        Self { slots, metrics: Tensor::zeros(device, [4]), counts }
    }

    /// The network's output and its loss; the metrics are brought up to date.
    fn forward(&self, net: &dyn Module, x: &Var, loss: Loss) -> [Var; 2] {
        let output = net.forward(x);
        let loss = match loss {
            Loss::CrossEntropy { smoothing } => {
                let loss = output.cross_entropy(&self.slots.labels, smoothing);
                ops::accumulate_metrics(loss.value(), output.value(), &self.slots.labels, &self.metrics);
                loss
            }
            Loss::Reconstruction => {
                let loss = output.mse(&Var::constant(&self.slots.x));
                let [images, count] = &self.counts;
                let sum = ops::add(&ops::mul(&loss.value().reshape([1]), images), count);
                ops::copy_into(&ops::add(&self.metrics, &sum), &self.metrics);
                loss
            }
        };
        [output, loss]
    }
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
        let before = Before::new(device, options);
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
