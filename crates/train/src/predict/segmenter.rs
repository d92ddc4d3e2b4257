//! A network that tells the class of each pixel of pictures, recorded once for as many as there are.

use crate::data::ImageSet;
use crate::error::{Error, Result};
use crate::loader::Treatment;
use crate::model::Trained;
use gpu_core::{DType, Device, Tensor, ops};
use nn::{EvalStep, StepOptions};

/// A captured step that tells the classes of pixels, of so many pictures at a time.
pub struct Segmenter {
    /// The pixels of a batch, as they are read.
    images: Tensor,
    step: EvalStep,
}

impl Segmenter {
    /// For at most `batch` pictures at a time.
    ///
    /// # Errors
    /// If the network tells no classes of pixels, or the device does not fit the batch.
    ///
    /// # Panics
    /// If `batch` is 0.
    #[track_caller]
    pub fn new(trained: &Trained, device: &Device, batch: usize) -> Result<Self> {
        assert!(batch > 0, "Segmenter: a batch of 0 pictures");
        let Trained { description, net } = trained;
        if !description.tells_pixels() {
            return Error::setting(format!("the model \"{}\" tells no classes of pixels", description.model));
        }
        let input = description.input()?;
        let images = Tensor::empty_of(device, [batch, input.dim(0), input.dim(1), input.dim(2)], DType::U8);
        let places = Tensor::from_slice(device, [batch], &(0..batch as u32).collect::<Vec<_>>());
        let plain = Treatment::normalised(&description.mean, &description.std);
        let options = StepOptions::new(batch, input).loss(description.loss(0.0)?);
        let step = EvalStep::captured_with(net, device, &options, |slots| plain.launch(&images, &places, slots))?;
        Ok(Self { images, step })
    }

    /// How many pictures it takes at a time.
    pub fn batch(&self) -> usize {
        self.images.shape().n()
    }

    /// The class of each pixel, row by row, of each of some pictures as [`read_image`](super::read_image) gives them.
    ///
    /// # Errors
    /// If the network gives what is no number, or a fault of the device.
    ///
    /// # Panics
    /// If there are none, more than it takes, or pictures of another size.
    #[track_caller]
    pub fn masks(&self, pictures: &[&ImageSet]) -> Result<Vec<Vec<u8>>> {
        let batch = self.batch();
        assert!((1..=batch).contains(&pictures.len()), "Segmenter: {} pictures, from 1 to {batch} are taken", pictures.len());
        // The last one again, where there are fewer.
        let all = (0..batch).flat_map(|i| pictures[i.min(pictures.len() - 1)].image(0));
        self.images.write(&all.copied().collect::<Vec<u8>>());
        self.step.run()?;
        let sum = ops::sum(self.step.output()).item()?;
        if !sum.is_finite() {
            return Err(Error::OutputNotFinite(sum));
        }
        let classes = ops::argmax(self.step.output()).read::<u32>()?;
        let masks = classes.chunks_exact(classes.len() / batch).take(pictures.len());
        Ok(masks.map(|mask| mask.iter().map(|&class| class as u8).collect()).collect())
    }
}
