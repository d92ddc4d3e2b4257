//! Whether a step fits the device: how much memory it takes, before it runs.

use super::error::StepError;
use super::memory::{MemoryPlan, available, in_use};
use super::options::StepOptions;
use super::supervised::Supervised;
use crate::module::Module;
use crate::optim::Optimizer;
use crate::summary::Summary;
use gpu_core::{Device, Shape, Tensor, within_memory};

impl MemoryPlan {
    /// What a training step will take, without taking it: two small batches are recorded, not run, and the line through them is
    /// followed to the batch wanted.
    ///
    /// # Errors
    /// As [`TrainStep::captured`](super::TrainStep::captured).
    pub fn predict(net: &dyn Module, optimizer: &dyn Optimizer, options: &StepOptions) -> Result<Self, StepError> {
        let device = optimizer.device();
        tensors_fit(net, device, options)?;
        let line = Line::of(net, device, Some(optimizer), options)?;
        Ok(Self::new(device, in_use(device), line.at(options.batch)))
    }
}

/// Refuses a step that the device cannot hold. Nothing large is made here: a device that failed to make a tensor stays at fault.
#[track_caller]
pub(super) fn check(
    net: &dyn Module,
    device: &Device,
    optimizer: Option<&dyn Optimizer>,
    options: &StepOptions,
) -> Result<(), StepError> {
    assert!(options.batch > 0, "StepOptions: a batch of 0 images has no mean loss");
    tensors_fit(net, device, options)?;
    if optimizer.is_some() {
        net.expect_trainable(options.shape())?;
    }
    let available = available(device);
    // Where only the machine is a limit, most steps are far below it, and to record two batches would cost more than it saves.
    let has_budget = device.memory().limit != u64::MAX;
    if available == u64::MAX || (!has_budget && most(net, options, options.batch)? <= available) {
        return Ok(());
    }
    let line = Line::of(net, device, optimizer, options)?;
    let needed = line.at(options.batch);
    if needed > available {
        return Err(too_large(options, needed, available, line.batch_within(available)));
    }
    Ok(())
}

fn too_large(options: &StepOptions, needed_bytes: u64, available_bytes: u64, fits: usize) -> StepError {
    StepError::TooLarge { batch: options.batch, needed_bytes, available_bytes, fits }
}

/// Each layer's output must fit into one binding.
fn tensors_fit(net: &dyn Module, device: &Device, options: &StepOptions) -> Result<(), StepError> {
    let limit_bytes = device.max_tensor_bytes();
    let batch = options.batch;
    let within = |bytes: u128, layer: String| match bytes <= limit_bytes.into() {
        true => Ok(()),
        false => {
            let fits = (u128::from(limit_bytes) / bytes.div_ceil(batch as u128)) as usize;
            let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
            Err(StepError::TensorTooLarge { layer, batch, bytes, limit_bytes, fits })
        }
    };
    // First of all: the shape of a batch that is far too large has no length.
    let image = options.of_batch(1).shape().len();
    within(4 * image as u128 * batch as u128, "the input".to_owned())?;
    let mut largest = (0, String::new());
    net.trace("", options.shape(), &mut |row| {
        let bytes = 4 * row.output.len() as u128;
        if bytes > largest.0 {
            largest = (bytes, format!("layer {} ({})", row.path, row.layer));
        }
    })?;
    let (bytes, layer) = largest;
    within(bytes, layer)
}

/// Bytes as a function of the batch: activations grow with it, the rest does not.
struct Line {
    fixed: f64,
    per_image: f64,
}

/// Every tensor is rounded up to 256 bytes; this covers a few hundred of them.
const MARGIN: u64 = 1 << 16;

impl Line {
    fn of(net: &dyn Module, device: &Device, optimizer: Option<&dyn Optimizer>, options: &StepOptions) -> Result<Self, StepError> {
        let bytes = |batch: usize| -> Result<f64, StepError> {
            let options = options.of_batch(batch);
            let recorded = match optimizer {
                Some(optimizer) => Supervised::training(net, optimizer, &options, |_| {}),
                None => Supervised::evaluation(net, device, &options, |_| {}),
            }?;
            // The slots are made outside the recording.
            let targets = recorded.slots.targets.as_ref().map_or(0, Tensor::bytes);
            Ok((recorded.step.plan().step_bytes + (recorded.slots.x.bytes() + targets) as u64) as f64)
        };
        let through = |[few, more]: [usize; 2]| -> Result<Self, StepError> {
            let [a, b] = [bytes(few)?, bytes(more)?];
            let per_image = (b - a) / (more - few) as f64;
            Ok(Self { fixed: a - per_image * few as f64, per_image })
        };
        let available = available(device);
        for pair in [[4, 8], [1, 2]] {
            if most(net, options, pair[1])? <= available {
                return through(pair);
            }
        }
        // Two images, or one, may fit all the same: in here a device is only asked.
        if let Ok(line) = within_memory(|| through([1, 2])) {
            return line;
        }
        if let Ok(one) = within_memory(|| bytes(1)) {
            return Ok(Self { fixed: 0.0, per_image: one? });
        }
        let needed = most(net, options, options.batch)?;
        Err(too_large(options, needed, available, 0))
    }

    fn at(&self, batch: usize) -> u64 {
        (self.fixed + self.per_image * batch as f64).max(0.0) as u64 + MARGIN
    }

    fn batch_within(&self, bytes: u64) -> usize {
        ((bytes.saturating_sub(MARGIN) as f64 - self.fixed) / self.per_image.max(1.0)).max(0.0) as usize
    }
}

/// Far above what a step of any layer here keeps: its output, its gradient and a workspace.
fn most(net: &dyn Module, options: &StepOptions, batch: usize) -> Result<u64, StepError> {
    let mut dims = options.shape().dims().to_vec();
    dims[0] = batch;
    let summary = Summary::of(net, Shape::new(&dims))?;
    Ok(4 * summary.activation_bytes + 8 * summary.parameters as u64)
}
