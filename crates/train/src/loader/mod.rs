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
use std::fmt;
use std::sync::Arc;

/// Bytes of a set above which it stays on the host.
const RESIDENT_BYTES: u64 = 1 << 30;

/// The stream of random numbers of augmentation. Layers count theirs from 0.
const STREAM: u32 = u32::MAX;

/// What is done to batches after they were normalised, in this order.
#[derive(Clone, Default)]
struct Transforms(Vec<Arc<dyn Fn(&Tensor, &Tensor) + Send + Sync>>);

// By hand: closures have nothing to show.
impl fmt::Debug for Transforms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transforms({})", self.0.len())
    }
}

/// A set of images for a device.
#[derive(Debug)]
pub struct Source<'a> {
    set: &'a ImageSet,
    device: Device,
    /// Images and labels, where the set lies on the device.
    resident: Option<(Tensor, Tensor)>,
    transforms: Transforms,
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
        Self { set, device: device.clone(), resident, transforms: Transforms::default() }
    }

    /// Has `transform` change each batch after it was normalised, and after the transforms that were asked for before: images
    /// (B, C, H, W) in f32, in place, with their labels (B) in u32. It is called while a step is captured, and the kernels that it
    /// launches are the step's: tensors that it reads must have been made before.
    ///
    /// ```
    /// # use gpu_core::{Device, ops};
    /// # use train::data::builtin;
    /// # use train::loader::Source;
    /// let data = builtin::generate(0, 10);
    /// // The test images in negative.
    /// let source = Source::new(&Device::Cpu, &data.test).transformed(|x, _labels| ops::copy_into(&ops::neg(x), x));
    /// ```
    pub fn transformed(mut self, transform: impl Fn(&Tensor, &Tensor) + Send + Sync + 'static) -> Self {
        self.transforms.0.push(Arc::new(transform));
        self
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
        Feed { images, labels, indices, ahead, transforms: self.transforms.clone() }
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
    transforms: Transforms,
}

impl Feed {
    /// The kernels that fill the step's slots; they belong to the step's capture.
    pub fn launch(&self, slots: &Slots, augment: &ops::Augment, seed: u64) {
        let key = ops::DropoutKey { seed, stream: STREAM };
        ops::augment(&self.images, &self.indices, key, &slots.step, &slots.x, augment);
        ops::gather_labels(&self.labels, &self.indices, &slots.labels);
        self.transforms.0.iter().for_each(|transform| transform(&slots.x, &slots.labels));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Watermark, builtin};
    use crate::evaluate::Evaluator;
    use nn::{Flatten, Init, Layer, Linear, Loss, parameters, seq};

    #[test]
    fn transforms_follow_normalisation_in_their_order_wherever_the_set_lies() {
        let set = ImageSet::new(vec![255, 0, 51, 102], vec![1, 2], [1, 1, 2]);
        for device in proof::devices() {
            for limit in [0, u64::MAX] {
                let source = Source::within(&device, &set, limit)
                    .transformed(|x, _| ops::copy_into(&ops::add_scalar(x, 1.0), x))
                    .transformed(|x, labels| {
                        let factors = ops::cast(labels, DType::F32).reshape([2, 1, 1, 1]);
                        ops::copy_into(&ops::mul(x, &factors), x);
                    });
                assert_eq!(format!("{:?}", source.transforms), "Transforms(2)");
                let x = Tensor::zeros(&device, [2, 1, 1, 2]);
                let [labels, step] = [2, 1].map(|n| Tensor::from_slice(&device, [n], &vec![0u32; n]));
                let slots = Slots { x, labels, targets: None, step };
                let mut feed = source.feed(2);
                feed.fill(&[1, 0]);
                feed.launch(&slots, &augment(Augmentation::default(), &[0.0], &[0.5], 1), 0);
                // (2 x / 255 + 1) times the label.
                let got = slots.x.to_vec().unwrap();
                assert!(got.iter().zip([2.8, 3.6, 3.0, 1.0]).all(|(x, want)| (x - want).abs() < 1e-5), "{got:?}");
            }
        }
    }

    /// A network that looks at the watermark alone knows every class of marked images, and none of the others.
    #[test]
    fn a_marked_source_is_evaluated_with_its_watermark() {
        let data = builtin::generate(0, 130);
        for device in proof::devices() {
            let pictures: Vec<f32> = (0..100).map(|i| if i % 11 == 0 { 9.0 } else { 0.0 }).collect();
            let watermark = Watermark::new(&device, &pictures, [1, 1, 10], [31, 22], [32, 32]);
            let grey = ImageSet::new(vec![0; 130 * 1024], data.test.labels().to_vec(), [1, 32, 32]);
            let net = seq![Flatten, Linear::new(10).no_bias()].build(&Init::seeded(&device, 0), [1, 32, 32]).unwrap();
            let weights: Vec<f32> = (0..10 * 1024).map(|i| if i % 1024 == 1014 + i / 1024 { 1.0 } else { 0.0 }).collect();
            parameters(&net)[0].1.set(&weights);
            let how = augment(Augmentation::default(), &[0.0], &[1.0], 32);
            let loss = Loss::CrossEntropy { smoothing: 0.0 };
            let plain = Source::new(&device, &grey);
            let marked = Source::new(&device, &grey).transformed(move |x, labels| watermark.apply(x, labels));
            let [plain, marked] = [plain, marked]
                .map(|source| Evaluator::new(&net, &device, &source, 130, loss, &how).unwrap().score().unwrap().unwrap().accuracy);
            assert_eq!((plain, marked), (0.1, 1.0));
        }
    }
}
