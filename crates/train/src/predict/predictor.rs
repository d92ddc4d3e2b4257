//! A network that names what is in pictures, recorded once for as many as there are.

use crate::data::ImageSet;
use crate::error::{Error, Result};
use crate::loader::Treatment;
use crate::model::Trained;
use crate::multi_label::probability;
use crate::tta::Tta;
use gpu_core::{DType, Device, Tensor, ops};
use nn::{EvalStep, StepOptions};
use serde::Serialize;

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

/// A captured step that names what is in pictures, so many at a time.
pub struct Predictor {
    classes: Vec<String>,
    /// Whether a picture may have several of them.
    is_multi_label: bool,
    /// The pixels of a batch, as they are read.
    images: Tensor,
    step: EvalStep,
    /// The same over another view of the pictures.
    other: Option<EvalStep>,
}

impl Predictor {
    /// For at most `batch` pictures at a time.
    ///
    /// # Errors
    /// If the network tells no classes, or the device does not fit the batch.
    ///
    /// # Panics
    /// If `batch` is 0.
    #[track_caller]
    pub fn new(trained: &Trained, device: &Device, batch: usize) -> Result<Self> {
        Self::of_views(trained, device, batch, None)
    }

    /// The same; where there is another view of the pictures, by the mean of the probabilities of both.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    ///
    /// # Panics
    /// As [`new`](Self::new).
    #[track_caller]
    pub fn of_views(trained: &Trained, device: &Device, batch: usize, tta: Option<Tta>) -> Result<Self> {
        assert!(batch > 0, "Predictor: a batch of 0 pictures");
        let Trained { description, net, .. } = trained;
        let is_multi_label = description.tells_labels();
        if is_multi_label && tta.is_some() {
            return Error::setting(format!(
                "--tta: not where an image may have several labels, as \"{}\" tells them",
                description.model
            ));
        }
        if !description.has_accuracy() {
            return Error::setting(format!("the model \"{}\" tells no classes: there is nothing to predict", description.model));
        }
        let input = description.input()?;
        let images = Tensor::empty_of(device, [batch, input.dim(0), input.dim(1), input.dim(2)], DType::U8);
        let places = Tensor::from_slice(device, [batch], &(0..batch as u32).collect::<Vec<_>>());
        let plain = Treatment::normalised(&description.mean, &description.std);
        let captured = |tta: Option<Tta>| {
            EvalStep::captured_with(net, device, &StepOptions::new(batch, input), |slots| {
                plain.launch(&images, &places, slots);
                tta.into_iter().for_each(|tta| tta.turn(&slots.x));
            })
        };
        let (step, other) = (captured(None)?, tta.map(|tta| captured(Some(tta))).transpose()?);
        Ok(Self { classes: description.classes.clone(), is_multi_label, images, step, other })
    }

    /// How many pictures it takes at a time.
    pub fn batch(&self) -> usize {
        self.images.shape().n()
    }

    /// The `top` likeliest classes for each of some pictures as [`read_image`](super::read_image) gives them, the likeliest first; where a
    /// picture may have several labels, those that are likelier than not.
    ///
    /// # Errors
    /// If the network gives what is no number, or a fault of the device.
    ///
    /// # Panics
    /// If there are none, more than it takes, or pictures of another size.
    #[track_caller]
    pub fn guesses(&self, pictures: &[&ImageSet], top: usize) -> Result<Vec<Vec<Guess>>> {
        let bytes: Vec<u8> = pictures.iter().flat_map(|picture| picture.image(0)).copied().collect();
        let probabilities = self.probabilities(&bytes)?;
        Ok(probabilities.chunks_exact(self.classes.len()).map(|row| self.likeliest(row, top)).collect())
    }

    /// How likely each class is for each of some images, `[n, classes]`: images (n, C, H, W) in bytes, of the size that the network takes.
    ///
    /// # Errors
    /// As [`guesses`](Self::guesses).
    ///
    /// # Panics
    /// If there are none, more than it takes, or a part of one.
    #[track_caller]
    pub fn probabilities(&self, images: &[u8]) -> Result<Vec<f32>> {
        let (batch, each) = (self.batch(), self.images.shape().len() / self.batch());
        let count = images.len() / each;
        assert!(
            images.len() == count * each && (1..=batch).contains(&count),
            "Predictor: {} bytes for up to {batch} images of {each}",
            images.len()
        );
        // The last one again, where there are fewer.
        let last = &images[images.len() - each..];
        let rest = std::iter::repeat_n(last, batch - count).flatten();
        self.images.write(&images.iter().chain(rest).copied().collect::<Vec<u8>>());
        self.step.run()?;
        let mut probabilities = match self.is_multi_label {
            true => self.step.output().to_vec()?.into_iter().map(|logit| probability(logit) as f32).collect(),
            false => ops::softmax(self.step.output(), 1).to_vec()?,
        };
        if let Some(other) = &self.other {
            other.run()?;
            let others = ops::softmax(other.output(), 1).to_vec()?;
            probabilities.iter_mut().zip(others).for_each(|(one, other)| *one = (*one + other) / 2.0);
        }
        probabilities.truncate(count * self.classes.len());
        match probabilities.iter().find(|p| !p.is_finite()) {
            Some(value) => Err(Error::OutputNotFinite(*value)),
            None => Ok(probabilities),
        }
    }

    fn likeliest(&self, probabilities: &[f32], top: usize) -> Vec<Guess> {
        let guess = |(label, (&probability, class)): (usize, (&f32, &String))| Guess { class: class.clone(), label, probability };
        let mut guesses: Vec<Guess> = probabilities.iter().zip(&self.classes).enumerate().map(guess).collect();
        guesses.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        guesses.retain(|guess| !self.is_multi_label || guess.probability > 0.5);
        guesses.truncate(top);
        guesses
    }
}
