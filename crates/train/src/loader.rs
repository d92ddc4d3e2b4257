//! From images to batches.
//!
//! A set that fits lies on the device as bytes, and a step picks its images there by index. A larger one stays on the host, which
//! picks the bytes of a batch and uploads them. Either way one kernel turns them, augments them, normalises them; its random
//! numbers depend on the step and the place in the batch only, so both ways give the same bits.

use crate::augmentation::Augmentation;
use crate::data::{Dataset, ImageSet};
use gpu_core::{DType, Device, Tensor, ops};
use nn::Slots;

/// Bytes of a set above which it stays on the host.
const RESIDENT_BYTES: u64 = 1 << 30;

/// The stream of random numbers of augmentation. Layers count theirs from 0.
const STREAM: u32 = u32::MAX;

/// A set of images for a device.
#[derive(Debug)]
pub struct Source<'a> {
    set: &'a ImageSet,
    device: Device,
    /// Images and labels, where the set lies on the device.
    resident: Option<(Tensor, Tensor)>,
}

impl<'a> Source<'a> {
    /// On the device if it fits there.
    pub fn new(device: &Device, set: &'a ImageSet) -> Self {
        let limit = device.max_tensor_bytes().min(RESIDENT_BYTES).min(device.memory().limit / 4);
        Self::within(device, set, limit)
    }

    /// On the device if it has at most `limit` bytes.
    pub fn within(device: &Device, set: &'a ImageSet, limit: u64) -> Self {
        let fits = !set.is_empty() && set.images().len() as u64 <= limit;
        let resident = fits.then(|| {
            let images = Tensor::from_slice(device, [set.len(), set.channels(), set.height(), set.width()], set.images());
            (images, Tensor::from_slice(device, [set.len()], set.labels()))
        });
        Self { set, device: device.clone(), resident }
    }

    /// Whether it lies on the device.
    pub fn is_resident(&self) -> bool {
        self.resident.is_some()
    }

    /// The images.
    pub fn set(&self) -> &'a ImageSet {
        self.set
    }

    /// What fills the batches of one captured step.
    pub fn feed(&self, batch: usize) -> Feed<'a> {
        let set = self.set;
        let (images, labels, indices) = match &self.resident {
            Some((images, labels)) => {
                (images.clone(), labels.clone(), Tensor::from_slice(&self.device, [batch], &vec![0u32; batch]))
            }
            None => {
                let images = Tensor::empty_of(&self.device, [batch, set.channels(), set.height(), set.width()], DType::U8);
                let places: Vec<u32> = (0..batch as u32).collect();
                let labels = Tensor::from_slice(&self.device, [batch], &vec![0u32; batch]);
                (images, labels, Tensor::from_slice(&self.device, [batch], &places))
            }
        };
        Feed { set, resident: self.is_resident(), images, labels, indices, bytes: Vec::new(), chosen: Vec::new() }
    }
}

/// Fills the batches of one captured step.
#[derive(Debug)]
pub struct Feed<'a> {
    set: &'a ImageSet,
    resident: bool,
    images: Tensor,
    labels: Tensor,
    indices: Tensor,
    bytes: Vec<u8>,
    chosen: Vec<u32>,
}

impl Feed<'_> {
    /// The kernels that fill the step's slots; they belong to the step's capture.
    pub fn launch(&self, slots: &Slots, augment: &ops::Augment, seed: u64) {
        let key = ops::DropoutKey { seed, stream: STREAM };
        ops::augment(&self.images, &self.indices, key, &slots.step, &slots.x, augment);
        ops::gather_labels(&self.labels, &self.indices, &slots.labels);
    }

    /// Chooses the images of the next step.
    ///
    /// # Panics
    /// If there are not as many as the step takes, or one is not in the set.
    pub fn fill(&mut self, chosen: &[u32]) {
        if self.resident {
            return self.indices.write(chosen);
        }
        self.bytes.clear();
        self.chosen.clear();
        for &i in chosen {
            self.bytes.extend_from_slice(self.set.image(i as usize));
            self.chosen.push(self.set.labels()[i as usize]);
        }
        self.images.write(&self.bytes);
        self.labels.write(&self.chosen);
    }
}

/// The kernel's parameters for the images of `data`: normalised, and changed as `how` says.
pub fn augment(how: Augmentation, mean: &[f32], std: &[f32], height: usize) -> ops::Augment {
    let four = |values: &[f32], rest: f32| std::array::from_fn(|c| values.get(c).copied().unwrap_or(rest));
    ops::Augment {
        flip: how.flip,
        crop_padding: if how.crop { (height / 8) as u32 } else { 0 },
        cutout: if how.cutout { (height / 2) as u32 } else { 0 },
        mean: four(mean, 0.0),
        std: four(std, 1.0),
    }
}

/// The parameters that only normalise.
pub fn normalise(data: &Dataset) -> ops::Augment {
    augment(Augmentation::default(), &data.mean, &data.std, data.train.height())
}
