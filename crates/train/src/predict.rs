//! What a network sees in a picture.

use crate::augmentation::Augmentation;
use crate::data::{Dataset, ImageSet};
use crate::error::{Error, Result};
use crate::loader::{Source, augment};
use crate::model::{Description, Trained};
use crate::photo::{self, PhotoError};
use gpu_core::{Device, ops};
use nn::{EvalStep, StepOptions};
use serde::Serialize;
use std::path::Path;

/// A class and how likely it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Guess {
    /// The class's name.
    pub class: String,
    /// Its number.
    pub label: usize,
    /// 0 to 1.
    pub probability: f32,
}

/// A picture as the network takes it: brought to its size in the way in which those were that it learned from, and grey if it has one
/// channel; see [`photo::read`].
///
/// # Errors
/// If the file cannot be read or decoded, or was cut short.
pub fn read_image(path: &Path, description: &Description) -> Result<ImageSet> {
    let input = description.input()?;
    let shape = [0, 1, 2].map(|axis| input.dim(axis));
    let planes = photo::read(path, shape, &description.reading).map_err(|error| match error {
        PhotoError::Read(source) => Error::file("reading", path)(source),
        other => Error::content(path, other.to_string()),
    })?;
    Ok(ImageSet::new(planes, vec![0], shape))
}

/// The `top` likeliest classes for one picture, the likeliest first.
///
/// # Errors
/// If the network tells no classes or gives what is no number, or a fault of the device.
pub fn guesses(trained: &Trained, picture: &ImageSet, device: &Device, top: usize) -> Result<Vec<Guess>> {
    let Trained { description, net, .. } = trained;
    if !description.is_classifier() {
        return Error::setting(format!("the model \"{}\" tells no classes: there is nothing to predict", description.model));
    }
    let source = Source::new(device, picture);
    let mut feed = source.feed(1);
    let plain = augment(Augmentation::default(), &description.mean, &description.std, picture.height());
    let options = StepOptions::new(1, description.input()?);
    let step = EvalStep::captured_with(net, device, &options, |slots| feed.launch(slots, &plain, 0))?;
    feed.fill(&[0]);
    step.run()?;
    let probabilities = ops::softmax(step.output(), 1).to_vec()?;
    if let Some(value) = probabilities.iter().find(|p| !p.is_finite()) {
        return Err(Error::OutputNotFinite(*value));
    }
    let mut guesses: Vec<Guess> = probabilities
        .into_iter()
        .zip(&description.classes)
        .enumerate()
        .map(|(label, (probability, class))| Guess { class: class.clone(), label, probability })
        .collect();
    guesses.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    guesses.truncate(top);
    Ok(guesses)
}

/// Refuses a data set whose classes are not those that a network was trained on.
///
/// # Errors
/// If their number differs, or of folders of pictures the names.
pub fn same_classes(description: &Description, data: &Dataset) -> Result<()> {
    let (wanted, found) = (description.classes.len(), data.classes.len());
    // Folders have names that mean something; other sets may have none at all.
    let is_other = data.has_files() && description.classes != data.classes;
    match wanted == found {
        true if is_other => Error::setting(format!(
            "the checkpoint's network tells {}; the class folders of {} are {}",
            description.classes.join(", "),
            data.name,
            data.classes.join(", ")
        )),
        true => Ok(()),
        false => Error::setting(format!(
            "the checkpoint's network tells {wanted} classes ({}), {} has {found}; name the data set that it was trained on with --data",
            description.trained_on, data.name
        )),
    }
}
