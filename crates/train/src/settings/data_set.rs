//! The data set that settings ask for: opened, and its images parted.

use super::kinds::{TestImages, Validation};
use super::rows::{Config, Settings};
use crate::console::Console;
use crate::data::{self, Amount, Dataset, InMemory, Opened, Opening, Sampler, Split};
use crate::error::{Error, Result};
use crate::model;
use crate::photo::Reading;
use std::path::Path;

/// Images that are held out of a large training set.
const HELD_OUT: usize = 5_000;
/// Share of the pictures that is tested on where none are for that.
const TESTED: f64 = 0.1;

/// Steps that an epoch over few pictures should have, and the batch that is not made smaller for that.
const STEPS_OF_EPOCH: usize = 10;
const SMALL_BATCH: usize = 8;
/// Steps that a run over few pictures should have, and the epochs that are enough whatever they come to.
const STEPS_OF_RUN: u64 = 1_000;
const MOST_EPOCHS: u64 = 40;

impl Config {
    /// Opens the data set and [settles](Self::settle) with it. Where it is pictures, the settings say afterwards how those were read.
    ///
    /// # Errors
    /// If it cannot be opened, is not that of the fingerprint, or a setting does not go with it.
    pub fn open_data(&mut self, console: &Console) -> Result<Dataset> {
        let out = self.out.clone();
        let Opened { mut data, remarks, .. } = self.opened(None, None, Some(&out), console)?;
        if !data.train.is_in_memory() {
            self.cache.get_or_insert(out);
        }
        self.settle(&mut data)?;
        remarks.iter().for_each(|remark| console.note(remark));
        Ok(data)
    }

    /// Has a run on few pictures take smaller steps, and more of them, where nothing else was `given`: five steps teach nothing.
    pub fn suit_few_pictures(&mut self, given: &Settings, data: &Dataset) {
        let images = data.train.len();
        if !data.has_files() {
            return;
        }
        if given.batch_size.is_none() && given.accumulate.is_none() {
            while self.batch_size > SMALL_BATCH && images / self.batch_size < STEPS_OF_EPOCH {
                self.batch_size /= 2;
            }
            self.batch_size = self.batch_size.min(images);
        }
        if given.epochs.is_none() {
            let steps = (images / self.batch_size).max(1) as u64;
            self.epochs = self.epochs.max(STEPS_OF_RUN.div_ceil(steps).min(MOST_EPOCHS));
        }
    }

    /// The data set as it lies there, with remarks. Pictures become images of `shape` as `reading` says, or else as the settings and the
    /// model do.
    ///
    /// # Errors
    /// If it cannot be opened, or a setting does not go with it.
    pub fn read_data(&mut self, shape: Option<[usize; 3]>, reading: Option<Reading>, console: &Console) -> Result<Opened> {
        self.opened(shape, reading, None, console)
    }

    /// The same; pictures that do not lie in memory are kept in `spill` where there is no cache.
    fn opened(
        &mut self,
        shape: Option<[usize; 3]>,
        reading: Option<Reading>,
        spill: Option<&Path>,
        console: &Console,
    ) -> Result<Opened> {
        let [channels, height, width] = match (shape, self.image_size) {
            (Some(shape), _) => shape,
            (None, size) => {
                let asked = model::asked_shape(&self.model)?.filter(|[channels, ..]| [1, 3].contains(channels));
                let [channels, height, width] = asked.unwrap_or([3, data::SIDE, data::SIDE]);
                [channels, size.unwrap_or(height), size.unwrap_or(width)]
            }
        };
        let asked = Reading { fit: self.fit.unwrap_or_default(), background: self.background.unwrap_or_default() };
        let reading = reading.unwrap_or(asked);
        let progress = console.counting("reading pictures");
        let (skip_bad, in_memory) = (self.skip_bad == Some(true), self.in_memory.unwrap_or_default());
        let (shape, cache) = ([channels, height, width], self.cache.as_deref());
        let opening = Opening { shape, reading, in_memory, skip_bad, cache, spill, progress: &progress };
        let opened = data::open_as(&self.data, &opening)?;
        if opened.data.has_files() {
            // A size that is none of one number is the model's own.
            self.image_size = self.image_size.or((height == width).then_some(height));
            (self.fit, self.background) = (Some(reading.fit), Some(reading.background));
            self.in_memory = Some(if opened.data.train.is_in_memory() { InMemory::On } else { InMemory::Off });
            return Ok(opened);
        }
        let of_pictures = [
            ("image-size", self.image_size.is_some()),
            ("fit", self.fit.is_some()),
            ("background", self.background.is_some()),
            ("skip-bad", self.skip_bad.is_some()),
            ("cache", self.cache.is_some()),
            ("in-memory", self.in_memory.is_some()),
        ];
        match of_pictures.iter().find(|(_, given)| *given) {
            None => Ok(opened),
            Some((name, _)) => {
                let name_of_set = &opened.data.name;
                Error::setting(format!(
                    "--{name} is for folders and tables of pictures; the images of {name_of_set} are taken as they are"
                ))
            }
        }
    }

    /// Replaces `auto` by what fits the data set, takes its fingerprint, and holds images out for tests and validation. The
    /// settings say then how many, or which.
    ///
    /// # Errors
    /// If another fingerprint was given, or the images cannot be held out.
    pub fn settle(&mut self, data: &mut Dataset) -> Result<()> {
        if self.augment == "auto" {
            // Crops cost a short run more than they give: 5 epochs see too little of each image to need them. Of pictures there are
            // few, and each is seen often.
            self.augment = match (data.has_files(), data.name.starts_with("CIFAR"), self.epochs) {
                (true, ..) => "flip,crop",
                (false, false, _) => "none",
                (false, true, ..10) => "flip",
                (false, true, _) => "flip,crop",
            }
            .to_owned();
        }
        if data.is_multi_label() {
            self.expect_several_labels(&data.name)?;
        }
        match data.has_masks() {
            true => self.expect_masks(&data.name)?,
            false if self.loss.is_some() => {
                return Error::setting(format!("--loss is for pictures with masks, which {} has none of", data.name));
            }
            false => {}
        }
        let val = *self.val.get_or_insert_with(|| by_default(data));
        if val != Validation::Own {
            data.without_val();
        }
        // Of the whole set: whatever is held out, it is the same.
        self.take_fingerprint(data)?;
        self.hold_out_test(data)?;
        match val {
            Validation::HeldOut(amount) => data.hold_out(amount).map_err(|e| Error::Setting(format!("--val {val}: {e}")))?,
            Validation::Own if data.val.is_empty() => {
                return Error::setting(format!("--val own: {} has no validation images of its own; give a number", data.name));
            }
            Validation::Test if data.test.is_empty() => {
                return Error::setting(format!("--val test: {} has no test images; give a number", data.name));
            }
            _ => {}
        }
        if self.patience.is_some() && val.split().is_none() {
            return Error::setting(format!("--patience: {} has too few images to hold any out for validation", data.name));
        }
        Ok(())
    }

    /// Refuses what is for one label an image.
    fn expect_several_labels(&self, name: &str) -> Result<()> {
        let refused = [
            ("augment mixup and cutmix", self.augmentation()?.mixes()),
            ("label-smoothing", self.label_smoothing > 0.0),
            ("tta", self.tta.is_some()),
            ("sampler weighted", self.sampler == Some(Sampler::Weighted)),
        ];
        match refused.iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((flag, _)) => Error::setting(format!("--{flag}: not where an image may have several labels, as those of {name}")),
        }
    }

    /// Refuses what is for one class an image.
    fn expect_masks(&self, name: &str) -> Result<()> {
        let how = self.augmentation()?;
        let refused = [
            ("augment mixup and cutmix", how.mixes()),
            ("augment cutout and erase", how.cutout || how.erase.is_some()),
            ("class-weights", self.class_weights.is_some()),
            ("tta", self.tta.is_some()),
            ("sampler weighted", self.sampler == Some(Sampler::Weighted)),
        ];
        match refused.iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((flag, _)) => Error::setting(format!("--{flag}: not where pictures have masks, as those of {name}")),
        }
    }

    fn take_fingerprint(&mut self, data: &Dataset) -> Result<()> {
        let found = data.fingerprint();
        match self.data_fingerprint.replace(found.clone()).filter(|wanted| *wanted != found) {
            None => Ok(()),
            Some(wanted) => Error::setting(format!(
                "--data {}: these are not the images and labels of fingerprint {wanted} (data-fingerprint), theirs is {found}; \
                 restore them, or begin another run",
                self.data
            )),
        }
    }

    /// Test images for pictures that have none.
    fn hold_out_test(&mut self, data: &mut Dataset) -> Result<()> {
        let is_open = data.has_files() && data.test.is_empty();
        match self.test {
            Some(_) if !is_open => {
                Error::setting(format!("--test is for pictures without test images; {} has some of its own", data.name))
            }
            None if !is_open => Ok(()),
            Some(TestImages::None) => Ok(()),
            Some(TestImages::HeldOut(amount)) => {
                data.hold_out_test(amount).map_err(|e| Error::Setting(format!("--test {amount}: {e}")))
            }
            None => {
                let tested = TestImages::HeldOut(Amount::Share(TESTED));
                self.test = Some(if can_spare(data) { tested } else { TestImages::None });
                self.hold_out_test(data)
            }
        }
    }

    /// The images that the best weights are chosen by, once settled; none where `val` is `none`.
    pub fn judged_by(&self) -> Option<Split> {
        self.val.and_then(Validation::split)
    }
}

/// Whether a tenth of the images can be held out, and one of each class is left.
fn can_spare(data: &Dataset) -> bool {
    data.train.len() / 10 <= data.train.len().saturating_sub(data.classes.len()) && data.train.len() >= 10
}

/// What the best weights are chosen by where nothing else was asked for.
fn by_default(data: &Dataset) -> Validation {
    let images = data.train.len();
    match HELD_OUT.min(images / 10).min(images.saturating_sub(data.classes.len())) {
        _ if !data.val.is_empty() => Validation::Own,
        0 => Validation::None,
        images => Validation::HeldOut(Amount::Images(images)),
    }
}
