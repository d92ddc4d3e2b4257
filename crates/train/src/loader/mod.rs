//! From images to batches.
//!
//! A set that fits lies on the device as bytes, and a step picks its images there by index. A larger one stays on the host, where a
//! thread picks the bytes of the next batch while a step runs. Either way one kernel turns them, augments them, normalises them; its random
//! numbers depend on the step and the place in the batch only, so both ways give the same bits.

mod ahead;

use crate::augmentation::Augmentation;
use crate::data::{Dataset, ImageSet};
use ahead::Ahead;
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
    pub fn feed(&self, batch: usize) -> Feed {
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
        let ahead = (!self.is_resident()).then(|| Ahead::new(set));
        Feed { images, labels, indices, ahead }
    }
}

/// Fills the batches of one captured step.
#[derive(Debug)]
pub struct Feed {
    images: Tensor,
    labels: Tensor,
    indices: Tensor,
    /// Where the set is on the host.
    ahead: Option<Ahead>,
}

impl Feed {
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
        let Some(ahead) = &mut self.ahead else { return self.indices.write(chosen) };
        let batch = ahead.take(chosen);
        self.images.write(&batch.images);
        self.labels.write(&batch.labels);
        ahead.reuse(batch);
    }

    /// Says what the next [`fill`](Self::fill) will choose, so that its bytes are there by then. Another choice is fetched then.
    ///
    /// # Panics
    /// The next `fill` panics if one of them is not in the set.
    pub fn prepare(&mut self, chosen: &[u32]) {
        if let Some(ahead) = &mut self.ahead {
            ahead.prepare(chosen);
        }
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
