//! A network with all that its steps need.

use super::fine_tuning::class_weights;
use super::optimizer::{LossScale, schedule};
use super::progress::Progress;
use crate::data::{Dataset, ImageSet, Split};
use crate::error::{Error, Result};
use crate::evaluate::{Evaluator, Score};
use crate::loader::{Feed, Source, Treatment};
use crate::model::{self, Description};
use crate::peers::Peers;
use crate::per_image::write_per_image;
use crate::segmentation::write_by_class;
use crate::settings::{Config, LossKind};
use crate::tta::Tta;
use gpu_core::Device;
use nn::checkpoint::Checkpoint;
use nn::optim::with_average;
use nn::schedule::Schedule;
use nn::{Loss, Net, Optimizer, StepError, StepOptions, TrainStep};
use std::path::Path;

/// A network, its captured training step and its evaluation.
pub(super) struct Learner {
    pub net: Net,
    pub optimizer: Box<dyn Optimizer>,
    pub step: TrainStep,
    /// Fills the step's batch: one of the parts, where gradients are accumulated.
    pub feed: Feed,
    schedule: Schedule,
    evaluator: Evaluator,
}

impl Learner {
    /// # Errors
    /// If the settings do not fit the data or the device.
    pub fn new(
        config: &Config,
        data: &Dataset,
        description: &Description,
        net: Net,
        optimizer: Box<dyn Optimizer>,
        progress: &Progress,
        peers: &Peers,
    ) -> Result<Self> {
        let schedule = schedule(config, progress.end(config), progress.steps_per_epoch)?;
        let net = config.with_segments(net);
        let (batch, images) = (config.batch_size, data.train.len());
        if batch > images {
            return Error::setting(format!("--batch-size {batch} is more than the {images} training images"));
        }
        let device = optimizer.device().clone();
        let how = config.augmentation()?;
        let loss = match (description.loss(config.label_smoothing as f32)?, how.mixes()) {
            (Loss::Segmentation { smoothing, .. }, false) => {
                Loss::Segmentation { smoothing, dice: config.loss == Some(LossKind::Dice) }
            }
            (loss, false) => loss,
            (Loss::CrossEntropy { smoothing }, true) => Loss::SoftCrossEntropy { smoothing },
            _ => return Error::setting("--augment: mixup and cutmix mix labels, and this model tells no classes"),
        };
        let part = batch / config.accumulate as usize;
        let options =
            StepOptions::new(part, model::image_shape(&data.train)).loss(loss).seed(config.seed).precision(config.precision());
        let options = options.share(peers.share(config.accumulate)?, config.accumulate);
        let options = options.class_weights(class_weights(config, description, &data.train)?);
        let treatment = Treatment::of(data).augmented(how, config.seed);
        let feed = Source::new(&device, &data.train).feed(part, &treatment);
        let step = TrainStep::captured_with(&net, &*optimizer, &options, |slots| feed.launch(slots));
        let step = step.map_err(|error| match error {
            StepError::Shape(e) => Error::Setting(format!("the model \"{}\": {e}", description.model)),
            other => other.into(),
        })?;
        if !data.has_masks() {
            step.expect_labels(data.train.labels());
        }
        if config.tta.is_some() && !description.is_classifier() {
            return Error::setting("--tta: this model tells no classes");
        }
        let evaluator = evaluator(config, data, description, &net, &device, (config.judged_by(), None))?.among(peers);
        Ok(Self { net, optimizer, step, feed, schedule, evaluator })
    }

    /// Has the evaluation look at the images of another split from now on, in the views that the settings ask for.
    ///
    /// # Errors
    /// As [`Evaluator::new`].
    pub fn look_at(
        &mut self,
        config: &Config,
        data: &Dataset,
        description: &Description,
        split: Split,
        peers: &Peers,
    ) -> Result<()> {
        // What the old one holds is free before a new one asks for it.
        self.evaluator = Evaluator::none();
        let evaluator = evaluator(config, data, description, &self.net, self.optimizer.device(), (Some(split), config.tta))?;
        self.evaluator = evaluator.among(peers);
        Ok(())
    }

    /// Chooses the images of a part of the step after `step` others.
    ///
    /// # Errors
    /// If one of them cannot be read.
    pub fn fill(&mut self, config: &Config, step: u64, part: &[u32]) -> Result<()> {
        // The number that random layers draw by.
        let number = (step as u32).wrapping_mul(config.accumulate).wrapping_add(self.step.next_part());
        self.feed.fill(number, part)
    }

    /// Sets the learning rate of the step after `step` others.
    pub fn set_lr(&self, base: f32, step: u64) {
        self.optimizer.set_lr(self.schedule.lr(base, step as usize));
    }

    /// What the loss is multiplied by; none where all is f32.
    ///
    /// # Errors
    /// A fault of the device.
    pub fn loss_scale(&self) -> Result<Option<LossScale>> {
        let Some(state) = self.optimizer.loss_scale() else { return Ok(None) };
        let state = state.to_vec()?;
        Ok(Some(LossScale { scale: state[0], taken_back: state[2] as u64 }))
    }

    /// The weights and the state of the optimiser.
    ///
    /// # Errors
    /// If the machine could not hold them beside the device; a fault of the device.
    pub fn state(&self) -> Result<Checkpoint> {
        let held = nn::parameters(&self.net).iter().map(|(_, param)| param.value().bytes()).sum::<usize>();
        let bytes = held + self.optimizer.state().iter().map(|(_, tensor)| tensor.bytes()).sum::<usize>();
        let free = gpu_core::free_bytes();
        if bytes as u64 > free {
            return Error::setting(format!(
                "a checkpoint of this model takes {bytes} bytes of memory, {free} are free; make layers smaller"
            ));
        }
        let state = Checkpoint::new().net(&self.net).and_then(|state| state.optimizer(&*self.optimizer));
        state.map_err(|e| Error::Setting(e.to_string()))
    }

    /// Waits until the device has done all that was sent.
    pub fn synchronize(&self) -> Result<()> {
        Ok(self.optimizer.device().synchronize()?)
    }

    /// Says which layer gives the first value that is not finite, over the images that are measured on.
    ///
    /// # Errors
    /// A fault of the device.
    pub fn look_at_score(&mut self) -> Result<Option<String>> {
        with_average(&*self.optimizer, || self.evaluator.look(&self.net))
    }

    /// Measures, with the average of the weights where one is kept.
    pub fn score(&mut self) -> Result<Option<Score>> {
        with_average(&*self.optimizer, || self.evaluator.score())
    }

    /// Measures with the weights that the network has.
    pub fn score_as_it_is(&mut self) -> Result<Option<Score>> {
        self.evaluator.score()
    }

    /// Writes a row for each image that is measured on, of this set, or where pixels have classes, for each class.
    ///
    /// # Errors
    /// As [`write_per_image`].
    pub fn table(&mut self, path: &Path, description: &Description, set: &ImageSet, averaged: bool) -> Result<()> {
        if description.tells_pixels() {
            // They were counted when it was measured.
            return write_by_class(path, &description.classes, self.evaluator.overlaps());
        }
        let mut write = || write_per_image(path, &mut self.evaluator, description, set);
        if averaged { with_average(&*self.optimizer, write) } else { write() }
    }
}

/// What measures on the images of a split, or on none, and in which view besides.
fn evaluator(
    config: &Config,
    data: &Dataset,
    description: &Description,
    net: &Net,
    device: &Device,
    (split, tta): (Option<Split>, Option<Tta>),
) -> Result<Evaluator> {
    let Some(split) = split else { return Ok(Evaluator::none()) };
    let images = data.split(split);
    let (source, measured) = (Source::new(device, images), config.test_images.unwrap_or(images.len()));
    Evaluator::of_views(net, device, &source, measured, description.loss(0.0)?, &Treatment::of(data), tta)
}
