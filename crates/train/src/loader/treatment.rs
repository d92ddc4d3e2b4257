//! What is done to images on their way into a batch.

use crate::augmentation::Augmentation;
use crate::data::Dataset;
use gpu_core::{Tensor, ops};
use nn::{Loss, Slots};

/// The stream of random numbers of the kernel `augment`. Layers count theirs from 0.
const STREAM: u32 = u32::MAX;

/// What is done to the images of a source on their way into a batch: normalised, and changed by chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Treatment {
    /// What is done at random.
    pub how: Augmentation,
    /// The mean of each channel, of values in [0, 1].
    pub mean: [f32; 4],
    /// The standard deviation of each channel.
    pub std: [f32; 4],
    /// What chance depends on, beside the step and the place in the batch.
    pub seed: u64,
}

impl Treatment {
    /// Normalised by these, a number for each channel, of which there are four at most.
    ///
    /// ```
    /// # use train::loader::Treatment;
    /// let plain = Treatment::normalised(&[0.5; 3], &[0.25; 3]);
    /// assert_eq!(plain.mean[..3], [0.5; 3]);
    /// ```
    pub fn normalised(mean: &[f32], std: &[f32]) -> Self {
        let four = |values: &[f32], rest: f32| std::array::from_fn(|c| values.get(c).copied().unwrap_or(rest));
        Self { how: Augmentation::default(), mean: four(mean, 0.0), std: four(std, 1.0), seed: 0 }
    }

    /// Normalised as the images of `data` are.
    pub fn of(data: &Dataset) -> Self {
        Self::normalised(&data.mean, &data.std)
    }

    /// With random changes that depend on a seed.
    pub fn augmented(self, how: Augmentation, seed: u64) -> Self {
        Self { how, seed, ..self }
    }

    /// The kernel for what it draws itself.
    pub(crate) fn launch(&self, images: &Tensor, indices: &Tensor, slots: &Slots) {
        ops::augment(images, indices, self.key(), &slots.step, &slots.x, &self.augment(images.shape().h()));
    }

    /// The same for the masks of the images (M, H, W): what comes in at an edge has no class.
    pub(crate) fn launch_masks(&self, masks: &Tensor, indices: &Tensor, slots: &Slots) {
        let how = self.augment(masks.shape().dim(1));
        ops::augment_masks(masks, indices, self.key(), &slots.step, &slots.labels, &how, Loss::IGNORED);
    }

    fn key(&self) -> ops::DropoutKey {
        ops::DropoutKey { seed: self.seed, stream: STREAM }
    }

    fn augment(&self, height: usize) -> ops::Augment {
        ops::Augment {
            flip: self.how.flip,
            crop_padding: if self.how.crop { (height / 8) as u32 } else { 0 },
            cutout: if self.how.cutout { (height / 2) as u32 } else { 0 },
            mean: self.mean,
            std: self.std,
        }
    }
}
