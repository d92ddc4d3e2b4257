//! Loss and accuracy over a whole set: every image counts once, or where pixels have classes, every pixel that has one.

use crate::data::{Dataset, LabelSets};
use crate::error::{Error, Result};
use crate::finite::first_not_finite;
use crate::loader::{Feed, Source, Treatment};
use crate::multi_label::Judged;
use crate::peers::Peers;
use crate::tta::{Tta, mean_of};
use gpu_core::Device;
use gpu_core::ops::Overlap;
use nn::{EvalStep, Loss, Metrics, Module, Net, StepOptions, Var};

/// Images in a step of an evaluation.
const BATCH: usize = 100;
/// The most pixels in a step where each is told of by itself: a network keeps all of them at their full number through many layers.
const PIXELS: usize = BATCH * 32 * 32;

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Images that were measured on.
    pub images: u64,
    /// Mean loss.
    pub loss: f64,
    /// Share of the images that were recognised, 0 to 1, or where an image may have several labels, of the labels that were told rightly at a
    /// probability of 0.5, or of the pixels that have a class; it means nothing for a network that reconstructs its input.
    pub accuracy: f64,
    /// Where pixels have classes, the mean over the classes of intersection over union, 0 to 1.
    pub mean_iou: Option<f64>,
}

/// A network with captured steps over a set: one for full batches, one for the rest.
pub struct Evaluator {
    parts: Vec<Part>,
    /// Where an image may have several labels, and that is what is told.
    sets: Option<LabelSets>,
    /// Of each class, where pixels have them, as it was last measured.
    overlaps: Vec<Overlap>,
    /// Who measures with this one.
    peers: Peers,
}

struct Part {
    first: usize,
    images: usize,
    batch: usize,
    step: EvalStep,
    feed: Feed,
    /// The same over another view of the images, where they have one.
    other: Option<EvalStep>,
    labels: Vec<u32>,
}

impl Evaluator {
    /// Over no images.
    pub(crate) fn none() -> Self {
        Self { parts: Vec::new(), sets: None, overlaps: Vec::new(), peers: Peers::alone() }
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
        Self::of_views(net, device, source, images, loss, treatment, None)
    }

    /// The same; where there is another view of the images, by the mean of the probabilities of both.
    ///
    /// ```
    /// # use gpu_core::Device;
    /// # use nn::{Flatten, Init, Layer, Linear, Loss, seq};
    /// # use train::{data::builtin, evaluate::Evaluator, loader::{Source, Treatment}, tta::Tta};
    /// # let (cpu, data) = (&Device::Cpu, builtin::generate(0, 20));
    /// # let net = seq![Flatten, Linear::new(10)].build(&Init::seeded(cpu, 0), [3, 32, 32]).unwrap();
    /// let (source, loss) = (Source::new(cpu, &data.test), Loss::CrossEntropy { smoothing: 0.0 });
    /// let mut both = Evaluator::of_views(&net, cpu, &source, 20, loss, &Treatment::of(&data), Some(Tta::Flip))?;
    /// assert_eq!(both.score()?.map(|score| score.images), Some(20));
    /// # Ok::<(), train::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`new`](Self::new).
    ///
    /// # Panics
    /// As [`new`](Self::new), or if there is another view and the loss is none of classes.
    #[track_caller]
    pub fn of_views(
        net: &dyn Module,
        device: &Device,
        source: &Source<'_>,
        images: usize,
        loss: Loss,
        treatment: &Treatment,
        tta: Option<Tta>,
    ) -> Result<Self> {
        let is_classifier = matches!(loss, Loss::CrossEntropy { .. });
        assert!(tta.is_none() || is_classifier, "Evaluator: a mean of probabilities, and the loss is of no classes");
        let set = source.set();
        let images = images.min(set.len());
        let most = match loss {
            Loss::Segmentation { .. } => (PIXELS / (set.height() * set.width()).max(1)).clamp(1, BATCH),
            _ => BATCH,
        };
        let full = images / most * most;
        let mut parts = Vec::new();
        for (first, count, batch) in [(0, full, most), (full, images - full, images - full)] {
            if count > 0 {
                let feed = source.feed(batch, treatment);
                let options = StepOptions::new(batch, [set.channels(), set.height(), set.width()]).loss(loss);
                let step = EvalStep::captured_with(net, device, &options, |slots| feed.launch(slots))?;
                let labels = set.labels()[first..first + count].to_vec();
                if !set.has_masks() {
                    step.expect_labels(&labels);
                }
                let turned = |tta: Tta| {
                    EvalStep::captured_with(net, device, &options, |slots| {
                        feed.launch(slots);
                        tta.turn(&slots.x);
                    })
                };
                let other = tta.map(turned).transpose()?;
                parts.push(Part { first, images: count, batch, step, feed, other, labels });
            }
        }
        let sets = set.label_sets().filter(|_| matches!(loss, Loss::BceWithLogits)).cloned();
        Ok(Self { parts, sets, overlaps: Vec::new(), peers: Peers::alone() })
    }

    /// As one of several that measure the same, each on its batches. What they come to is that of one, to the bit: all that is added up on a
    /// device is an integer. Where that is not so (another view, or several labels an image), each measures all of it.
    #[must_use]
    pub fn among(self, peers: &Peers) -> Self {
        Self { peers: peers.clone(), ..self }
    }

    /// Measures; `None` if there is no image.
    ///
    /// # Errors
    /// A fault of the device, or a loss that is not finite.
    pub fn score(&mut self) -> Result<Option<Score>> {
        if let Some(sets) = self.sets.clone() {
            return self.score_of_labels(&sets);
        }
        if self.parts.iter().any(|part| part.other.is_some()) {
            return self.score_of_views();
        }
        let (mut images, mut loss, mut correct) = (0, 0.0, 0.0);
        self.overlaps.clear();
        for part in &mut self.parts {
            part.step.reset_metrics();
            let order: Vec<u32> = (part.first..part.first + part.images).map(|i| i as u32).collect();
            // Of each round of batches, this one's.
            let mut batches = order.chunks_exact(part.batch).skip(self.peers.rank()).step_by(self.peers.size()).peekable();
            while let Some(chosen) = batches.next() {
                part.feed.fill(0, chosen)?;
                batches.peek().into_iter().for_each(|next| part.feed.prepare(next));
                part.step.run()?;
            }
            let labels = (part.step.labels().len() / part.batch) as u64;
            let metrics = Metrics::of(self.peers.metrics(part.step.sums()?)?, labels);
            images += metrics.images;
            loss += metrics.loss * metrics.images as f64;
            correct += metrics.accuracy * metrics.images as f64;
            let overlaps = self.peers.overlaps(part.step.overlaps()?)?;
            self.overlaps.resize(overlaps.len(), Overlap::default());
            self.overlaps.iter_mut().zip(overlaps).for_each(|(all, of_part)| *all = all.plus(of_part));
        }
        let score = scored(images as usize, loss, correct)?;
        Ok(score.map(|score| match &self.overlaps[..] {
            [] => score,
            classes => Score { accuracy: Overlap::accuracy(classes), mean_iou: Some(Overlap::mean_iou(classes)), ..score },
        }))
    }

    /// Of each class what the last [`score`](Self::score) counted; nothing where it is not pixels that have classes.
    pub fn overlaps(&self) -> &[Overlap] {
        &self.overlaps
    }
}

impl Evaluator {
    /// On the host, from what the network gives.
    fn score_of_views(&mut self) -> Result<Option<Score>> {
        let labels: Vec<u32> = self.parts.iter().flat_map(|part| part.labels.clone()).collect();
        let (mut loss, mut correct) = (0.0, 0u64);
        self.outputs(&mut |image, logs| {
            let (label, largest) = (labels[image] as usize, logs.iter().fold(f32::NEG_INFINITY, |most, &x| most.max(x)));
            loss -= f64::from(logs[label]);
            // The first of several, as on the device.
            correct += u64::from(logs.iter().position(|&x| x == largest) == Some(label));
        })?;
        scored(labels.len(), loss, correct as f64)
    }

    /// The same of each label by itself.
    fn score_of_labels(&mut self, sets: &LabelSets) -> Result<Option<Score>> {
        let labels: Vec<u32> = self.parts.iter().flat_map(|part| part.labels.clone()).collect();
        let (mut loss, mut right) = (0.0, 0);
        self.outputs(&mut |image, logits| {
            let judged = Judged::of(logits, sets.of(labels[image]));
            (loss, right) = (loss + judged.loss, right + judged.right);
        })?;
        scored(labels.len(), loss, right as f64 / sets.classes() as f64)
    }

    /// Shows `each` what the network gives for every image, in order: the image's number, and its logits. Where there are two views of an
    /// image, they are the logarithms of the mean probabilities.
    ///
    /// # Errors
    /// A fault of the device.
    pub fn outputs(&mut self, each: &mut dyn FnMut(usize, &[f32])) -> Result<()> {
        for part in &mut self.parts {
            let order: Vec<u32> = (part.first..part.first + part.images).map(|i| i as u32).collect();
            let mut batches = order.chunks_exact(part.batch).peekable();
            while let Some(chosen) = batches.next() {
                part.feed.fill(0, chosen)?;
                batches.peek().into_iter().for_each(|next| part.feed.prepare(next));
                part.step.run()?;
                let mut outputs = part.step.output().to_vec()?;
                let classes = outputs.len() / part.batch;
                if let Some(other) = &part.other {
                    other.run()?;
                    let others = other.output().to_vec()?;
                    let both = outputs.chunks_exact(classes).zip(others.chunks_exact(classes));
                    outputs = both.flat_map(|(one, other)| mean_of(one, other)).collect();
                }
                let rows = outputs.chunks_exact(classes);
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

/// The means of sums over images; none of no image.
fn scored(images: usize, loss: f64, correct: f64) -> Result<Option<Score>> {
    let n = images as f64;
    if images > 0 && !f64::is_finite(loss) {
        return Err(Error::LossNotFinite(loss / n));
    }
    Ok((images > 0).then_some(Score { images: images as u64, loss: loss / n, accuracy: correct / n, mean_iou: None }))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{ImageSet, LabelSets, builtin};
    use nn::{Flatten, Init, Layer, Linear, seq};

    /// Left and right exchanged.
    fn mirrored(set: &ImageSet) -> ImageSet {
        let rows = set.images().chunks_exact(set.width());
        let images = rows.flat_map(|row| row.iter().rev().copied()).collect();
        ImageSet::new(images, set.labels().to_vec(), [set.channels(), set.height(), set.width()])
    }

    #[test]
    fn labels_are_judged_one_by_one_and_the_loss_is_that_of_the_step() {
        let data = builtin::generate(0, 130);
        let sets = LabelSets::new((0..10).map(|class| vec![class / 2, 5 + class / 2]).collect(), 10);
        let set = data.test.clone().with_label_sets(sets.clone());
        for device in proof::devices() {
            let net = seq![Flatten, Linear::new(10)].build(&Init::seeded(&device, 0), [3, 32, 32]).unwrap();
            let source = Source::new(&device, &set);
            let mut evaluator = Evaluator::new(&net, &device, &source, 130, Loss::BceWithLogits, &Treatment::of(&data)).unwrap();
            let score = evaluator.score().unwrap().unwrap();
            let metrics = evaluator.parts.iter().map(|part| part.step.metrics().unwrap());
            let loss = metrics.map(|metrics| metrics.loss * metrics.images as f64).sum::<f64>() / 130.0;
            assert!((score.loss - loss).abs() < 1e-6, "{}: {score:?}, {loss}", device.name());
            let mut right = 0;
            let mut count = |image: usize, logits: &[f32]| {
                right +=
                    (0..10).filter(|class| (logits[*class as usize] > 0.0) == sets.of(set.labels()[image]).contains(class)).count();
            };
            evaluator.outputs(&mut count).unwrap();
            assert_eq!((score.images, score.accuracy), (130, right as f64 / 10.0 / 130.0));
            assert!((0.2..0.8).contains(&score.accuracy), "it has learned nothing: {score:?}");
        }
    }

    #[test]
    fn two_views_give_the_mean_of_the_probabilities_of_the_image_and_of_its_mirror_image() {
        let data = builtin::generate(0, 103);
        for device in proof::devices() {
            let net = seq![Flatten, Linear::new(10)].build(&Init::seeded(&device, 0), [3, 32, 32]).unwrap();
            let given = |set: &ImageSet, tta: Option<Tta>| {
                let (source, loss) = (Source::new(&device, set), Loss::CrossEntropy { smoothing: 0.0 });
                let how = Treatment::of(&data);
                let mut evaluator = Evaluator::of_views(&net, &device, &source, set.len(), loss, &how, tta).unwrap();
                let mut rows = Vec::new();
                evaluator.outputs(&mut |image, logits| rows.push((image, logits.to_vec()))).unwrap();
                (rows, evaluator.score().unwrap().unwrap())
            };
            let probabilities = |logits: &[f32]| {
                let sum: f64 = logits.iter().map(|&x| f64::from(x).exp()).sum();
                logits.iter().map(|&x| f64::from(x).exp() / sum).collect::<Vec<f64>>()
            };
            let ((plain, alone), (turned, _)) = (given(&data.test, None), given(&mirrored(&data.test), None));
            let (both, score) = given(&data.test, Some(Tta::Flip));
            let (mut loss, mut correct) = (0.0, 0);
            for (((image, one), (_, other)), (row, logs)) in plain.iter().zip(&turned).zip(&both) {
                assert_eq!(image, row);
                let mean: Vec<f64> =
                    probabilities(one).iter().zip(probabilities(other)).map(|(one, other)| (one + other) / 2.0).collect();
                let worst = mean.iter().zip(logs).map(|(p, &log)| (p - f64::from(log).exp()).abs()).fold(0.0, f64::max);
                assert!(worst < 1e-6, "{}: image {image}, {worst}", device.name());
                let label = data.test.labels()[*image] as usize;
                loss -= mean[label].ln() / 103.0;
                correct += usize::from(mean.iter().all(|p| *p <= mean[label]));
            }
            assert_eq!((both.len(), score.images), (103, 103));
            assert!((score.loss - loss).abs() < 1e-6 && score.loss != alone.loss, "{score:?}, {loss}");
            assert_eq!(score.accuracy, correct as f64 / 103.0);
        }
    }
}
