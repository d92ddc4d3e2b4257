//! Loss and accuracy over a whole set: every image counts once.

use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::finite::first_not_finite;
use crate::loader::{Feed, Source, Treatment};
use gpu_core::Device;
use nn::{EvalStep, Loss, Module, Net, StepOptions, Var};

/// Images in a step of an evaluation.
const BATCH: usize = 100;

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Images that were measured on.
    pub images: u64,
    /// Mean loss.
    pub loss: f64,
    /// Share of the images that were recognised, 0 to 1; it means nothing for a network that reconstructs its input.
    pub accuracy: f64,
}

/// A network with captured steps over a set: one for full batches, one for the rest.
pub struct Evaluator {
    parts: Vec<Part>,
}

struct Part {
    first: usize,
    images: usize,
    batch: usize,
    step: EvalStep,
    feed: Feed,
}

impl Evaluator {
    /// Over no images.
    pub(crate) fn none() -> Self {
        Self { parts: Vec::new() }
    }

    /// Over the first `images` of `source`.
    ///
    /// # Errors
    /// If the network does not fit the images, or the device does not fit the network.
    ///
    /// # Panics
    /// If a label is none of the network's classes.
    #[track_caller]
    pub fn new(
        net: &dyn Module,
        device: &Device,
        source: &Source<'_>,
        images: usize,
        loss: Loss,
        treatment: &Treatment,
    ) -> Result<Self> {
        let set = source.set();
        let images = images.min(set.len());
        let full = images / BATCH * BATCH;
        let mut parts = Vec::new();
        for (first, count, batch) in [(0, full, BATCH), (full, images - full, images - full)] {
            if count > 0 {
                let feed = source.feed(batch, treatment);
                let options = StepOptions::new(batch, [set.channels(), set.height(), set.width()]).loss(loss);
                let step = EvalStep::captured_with(net, device, &options, |slots| feed.launch(slots))?;
                step.expect_labels(&set.labels()[first..first + count]);
                parts.push(Part { first, images: count, batch, step, feed });
            }
        }
        Ok(Self { parts })
    }

    /// Measures; `None` if there is no image.
    ///
    /// # Errors
    /// A fault of the device, or a loss that is not finite.
    pub fn score(&mut self) -> Result<Option<Score>> {
        let (mut images, mut loss, mut correct) = (0, 0.0, 0.0);
        for part in &mut self.parts {
            part.step.reset_metrics();
            let order: Vec<u32> = (part.first..part.first + part.images).map(|i| i as u32).collect();
            let mut batches = order.chunks_exact(part.batch).peekable();
            while let Some(chosen) = batches.next() {
                part.feed.fill(0, chosen)?;
                batches.peek().into_iter().for_each(|next| part.feed.prepare(next));
                part.step.run()?;
            }
            let metrics = part.step.metrics()?;
            images += metrics.images;
            loss += metrics.loss * metrics.images as f64;
            correct += metrics.accuracy * metrics.images as f64;
        }
        let n = images as f64;
        if images > 0 && !f64::is_finite(loss) {
            return Err(Error::LossNotFinite(loss / n));
        }
        Ok((images > 0).then_some(Score { images, loss: loss / n, accuracy: correct / n }))
    }
}

impl Evaluator {
    /// Shows `each` what the network gives for every image, in order: the image's number, and its logits.
    ///
    /// # Errors
    /// A fault of the device.
    pub fn outputs(&mut self, each: &mut dyn FnMut(usize, &[f32])) -> Result<()> {
        for part in &mut self.parts {
            let order: Vec<u32> = (part.first..part.first + part.images).map(|i| i as u32).collect();
            for chosen in order.chunks_exact(part.batch) {
                part.feed.fill(0, chosen)?;
                part.step.run()?;
                let outputs = part.step.output().to_vec()?;
                let rows = outputs.chunks_exact(outputs.len() / part.batch);
                chosen.iter().zip(rows).for_each(|(&image, row)| each(image as usize, row));
            }
        }
        Ok(())
    }

    /// Says which layer of `net`, the network that is measured, gives the first value that is not finite.
    ///
    /// # Errors
    /// A fault of the device.
    pub(crate) fn look(&mut self, net: &Net) -> Result<Option<String>> {
        for part in &mut self.parts {
            let order: Vec<u32> = (part.first..part.first + part.images).map(|i| i as u32).collect();
            for chosen in order.chunks_exact(part.batch) {
                part.feed.fill(0, chosen)?;
                part.step.run()?;
                if !part.step.loss()?.is_finite() {
                    return first_not_finite(net, "", &Var::constant(part.step.x()));
                }
            }
        }
        Ok(None)
    }
}

/// The share of the test images of `data` that `net` recognises, 0 to 1.
///
/// # Errors
/// If there are no test images, the network does not fit them, or the device is at fault.
///
/// ```
/// # use gpu_core::Device;
/// # use nn::{Flatten, Init, Layer, Linear, seq};
/// # use train::{data::builtin, evaluate::accuracy};
/// let data = builtin::generate(0, 130);
/// let net = seq![Flatten, Linear::new(10)].build(&Init::seeded(&Device::Cpu, 0), [3, 32, 32]).unwrap();
/// assert!(accuracy(&net, &Device::Cpu, &data)? < 0.3); // it has learned nothing yet
/// # Ok::<(), train::Error>(())
/// ```
pub fn accuracy(net: &dyn Module, device: &Device, data: &Dataset) -> Result<f64> {
    let test = Source::new(device, &data.test);
    let loss = Loss::CrossEntropy { smoothing: 0.0 };
    let score = Evaluator::new(net, device, &test, data.test.len(), loss, &Treatment::of(data))?.score()?;
    score.map_or_else(|| Error::setting(format!("{} has no test images", data.name)), |score| Ok(score.accuracy))
}
