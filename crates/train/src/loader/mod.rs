//! From images to batches.
//!
//! A set that fits lies on the device as bytes, and a step picks its images there by index. A larger one stays on the host or on the disk,
//! where a thread fetches the bytes of the next batch while a step runs. Either way one kernel turns them, augments them, normalises them; what is
//! drawn depends on the step and the place in the batch only, so both ways give the same bits.

mod ahead;
mod drawn;
mod treatment;

pub use treatment::Treatment;

use crate::data::ImageSet;
use crate::error::Result;
use ahead::Ahead;
use drawn::Drawn;
use gpu_core::{DType, Device, Tensor, ops};
use nn::Slots;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of a set above which it stays on the host.
const RESIDENT_BYTES: u64 = 1 << 30;

/// What is done to batches after they were normalised, in this order.
#[derive(Clone, Default)]
struct Transforms(Vec<Arc<dyn Fn(&Tensor, &Tensor) + Send + Sync>>);

// By hand: closures have nothing to show.
impl fmt::Debug for Transforms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transforms({})", self.0.len())
    }
}

/// Images (M, C, H, W) on a device, with their labels (M) and, where each pixel has a class, their masks (M, H, W).
#[derive(Debug, Clone)]
struct Stock {
    images: Tensor,
    labels: Tensor,
    masks: Option<Tensor>,
}

impl Stock {
    /// Room for so many images of a set.
    fn room(device: &Device, set: &ImageSet, images: usize) -> Self {
        let [c, h, w] = [set.channels(), set.height(), set.width()];
        Self {
            images: Tensor::empty_of(device, [images, c, h, w], DType::U8),
            labels: Tensor::from_slice(device, [images], &vec![0u32; images]),
            masks: set.has_masks().then(|| Tensor::empty_of(device, [images, h, w], DType::U8)),
        }
    }
}

/// A set of images for a device.
#[derive(Debug)]
pub struct Source<'a> {
    set: &'a ImageSet,
    device: Device,
    /// Where the set lies on the device.
    resident: Option<Stock>,
    transforms: Transforms,
}

impl<'a> Source<'a> {
    /// On the device if it fits there.
    pub fn new(device: &Device, set: &'a ImageSet) -> Self {
        let limit = device.max_tensor_bytes().min(RESIDENT_BYTES).min(device.memory().limit / 4);
        Self::within(device, set, limit)
    }

    /// On the device if it lies in memory and has at most `limit` bytes.
    pub fn within(device: &Device, set: &'a ImageSet, limit: u64) -> Self {
        let bytes = || set.images().len() + if set.has_masks() { set.masks().len() } else { 0 };
        let fits = !set.is_empty() && set.is_in_memory() && bytes() as u64 <= limit;
        let shape = [set.len(), set.height(), set.width()];
        let resident = fits.then(|| Stock {
            images: Tensor::from_slice(device, [shape[0], set.channels(), shape[1], shape[2]], set.images()),
            labels: Tensor::from_slice(device, [set.len()], set.labels()),
            masks: set.has_masks().then(|| Tensor::from_slice(device, shape, set.masks())),
        });
        Self { set, device: device.clone(), resident, transforms: Transforms::default() }
    }

    /// Has `transform` change each batch after it was normalised, and after the transforms that were asked for before: images
    /// (B, C, H, W) in f32, in place, with their labels in u32: (B), or (B, H, W) where each pixel has a class. It is called while a step
    /// is captured, and the kernels that it launches are the step's: tensors that it reads must have been made before.
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

    /// What fills the batches of one captured step, with images treated so.
    pub fn feed(&self, batch: usize, treatment: &Treatment) -> Feed {
        let set = self.set;
        let (stock, places) = match &self.resident {
            Some(stock) => (stock.clone(), vec![0u32; batch]),
            None => (Stock::room(&self.device, set, batch), (0..batch as u32).collect()),
        };
        let indices = Tensor::from_slice(&self.device, [batch], &places);
        let ahead = (!self.is_resident()).then(|| Ahead::new(set));
        let drawn = Drawn::new(&self.device, set, batch, treatment);
        let targets = set.label_sets().map(|sets| Tensor::from_slice(&self.device, [sets.len(), sets.classes()], &sets.targets()));
        Feed { stock, targets, indices, ahead, treatment: *treatment, drawn, transforms: self.transforms.clone() }
    }
}

/// Fills the batches of one captured step.
#[derive(Debug)]
pub struct Feed {
    stock: Stock,
    /// Of each label what a network is to give, where an image may have several (sets, classes).
    targets: Option<Tensor>,
    indices: Tensor,
    /// Where the set is on the host.
    ahead: Option<Ahead>,
    treatment: Treatment,
    drawn: Option<Drawn>,
    transforms: Transforms,
}

impl Feed {
    /// The kernels that fill the step's slots; they belong to the step's capture.
    ///
    /// # Panics
    /// If labels are mixed and the step's loss takes none but whole ones: [`nn::Loss::SoftCrossEntropy`] takes targets.
    #[track_caller]
    pub fn launch(&self, slots: &Slots) {
        let Stock { images, labels, masks } = &self.stock;
        match &self.drawn {
            Some(drawn) => drawn.launch_images(images, &self.indices, slots),
            None => self.treatment.launch(images, &self.indices, slots),
        }
        match (masks, &self.drawn) {
            (None, _) => ops::gather_labels(labels, &self.indices, &slots.labels),
            (Some(masks), Some(drawn)) => drawn.launch_masks(masks, &self.indices, slots),
            (Some(masks), None) => self.treatment.launch_masks(masks, &self.indices, slots),
        }
        if let (Some(of_set), Some(targets)) = (&self.targets, &slots.targets) {
            ops::copy_into(&ops::index_select(of_set, 0, &slots.labels), targets);
        }
        if let Some(drawn) = &self.drawn {
            drawn.launch_targets(slots);
        }
        self.transforms.0.iter().for_each(|transform| transform(&slots.x, &slots.labels));
    }

    /// Chooses the images of the next step, and what is done to them by chance, for which the step has a `number`.
    ///
    /// # Errors
    /// If one of them does not lie in memory, and cannot be read.
    ///
    /// # Panics
    /// If there are not as many as the step takes, or one is not in the set.
    pub fn fill(&mut self, number: u32, chosen: &[u32]) -> Result<()> {
        match &mut self.ahead {
            None => self.indices.write(chosen),
            Some(ahead) => {
                let batch = ahead.take(chosen)?;
                self.stock.images.write(&batch.images);
                self.stock.labels.write(&batch.labels);
                self.stock.masks.iter().for_each(|masks| masks.write(&batch.masks));
                ahead.reuse(batch);
            }
        }
        if let Some(drawn) = &self.drawn {
            drawn.fill(number, chosen.len());
        }
        Ok(())
    }

    /// How long [`fill`](Self::fill) has waited for images that were not there when it was called, since this was last asked: zero where
    /// the set lies on the device, or each batch was [prepared](Self::prepare) in time.
    pub fn waited(&mut self) -> Duration {
        self.ahead.as_mut().map_or(Duration::ZERO, Ahead::waited)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augmentation::Augmentation;
    use crate::data::{LabelSets, Watermark, builtin};
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
                let mut feed = source.feed(2, &Treatment::normalised(&[0.0], &[0.5]));
                feed.fill(0, &[1, 0]).unwrap();
                feed.launch(&slots);
                // (2 x / 255 + 1) times the label.
                let got = slots.x.to_vec().unwrap();
                assert!(got.iter().zip([2.8, 3.6, 3.0, 1.0]).all(|(x, want)| (x - want).abs() < 1e-5), "{got:?}");
            }
        }
    }

    #[test]
    fn images_of_several_labels_have_targets_wherever_the_set_lies() {
        let sets = LabelSets::new(vec![vec![2], vec![0, 1]], 3);
        let set = ImageSet::new(vec![0; 3], vec![1, 0, 1], [1, 1, 1]).with_label_sets(sets);
        for device in proof::devices() {
            for limit in [0, u64::MAX] {
                let x = Tensor::zeros(&device, [2, 1, 1, 1]);
                let [labels, step] = [2, 1].map(|n| Tensor::from_slice(&device, [n], &vec![0u32; n]));
                let slots = Slots { x, labels, targets: Some(Tensor::full(&device, [2, 3], 7.0)), step };
                let mut feed = Source::within(&device, &set, limit).feed(2, &Treatment::normalised(&[0.0], &[1.0]));
                let ((), capture) = device.capture(|| feed.launch(&slots)).unwrap();
                for (chosen, want) in [([0, 1], [1.0, 1.0, 0.0, 0.0, 0.0, 1.0]), ([1, 2], [0.0, 0.0, 1.0, 1.0, 1.0, 0.0])] {
                    feed.fill(0, &chosen).unwrap();
                    capture.replay().unwrap();
                    assert_eq!(slots.targets.as_ref().unwrap().to_vec().unwrap(), want, "{}", device.name());
                }
            }
        }
    }

    /// White images of class 1 and black ones of class 0, each mixed with the next: an image tells its own target.
    #[test]
    fn labels_are_mixed_as_their_images_are() {
        let bytes: Vec<u8> = (0..6).flat_map(|i| [255 * (i % 2); 64]).collect();
        let set = ImageSet::new(bytes, vec![0, 1, 0, 1, 0, 1], [1, 8, 8]);
        let how = Augmentation { mixup: Some(1.0), cutmix: Some(1.0), ..Default::default() };
        let mut seen = Vec::new();
        for device in proof::devices() {
            let x = Tensor::zeros(&device, [4, 1, 8, 8]);
            let [labels, step] = [4, 1].map(|n| Tensor::from_slice(&device, [n], &vec![0u32; n]));
            let slots = Slots { x, labels, targets: Some(Tensor::zeros(&device, [4, 2])), step };
            let mut feed = Source::new(&device, &set).feed(4, &Treatment::normalised(&[0.0], &[1.0]).augmented(how, 3));
            let ((), capture) = device.capture(|| feed.launch(&slots)).unwrap();
            let mut batches = Vec::new();
            for number in 0..20 {
                feed.fill(number, &[1, 4, 3, 5]).unwrap();
                capture.replay().unwrap();
                let (x, targets) = (slots.x.to_vec().unwrap(), slots.targets.as_ref().unwrap().to_vec().unwrap());
                for (image, target) in x.chunks(64).zip(targets.chunks(2)) {
                    let white = image.iter().sum::<f32>() / 64.0;
                    assert!((target[1] - white).abs() < 1e-3 && (target[0] + target[1] - 1.0).abs() < 1e-6, "{white}: {target:?}");
                }
                batches.push([x, targets].concat());
            }
            assert!(batches.iter().any(|batch| batch[256..].iter().any(|&share| (0.1..0.9).contains(&share))), "nothing was mixed");
            seen.push(batches);
        }
        assert!(seen.iter().all(|batches| *batches == seen[0]));
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
            let how = Treatment::normalised(&[0.0], &[1.0]);
            let loss = Loss::CrossEntropy { smoothing: 0.0 };
            let plain = Source::new(&device, &grey);
            let marked = Source::new(&device, &grey).transformed(move |x, labels| watermark.apply(x, labels));
            let [plain, marked] = [plain, marked]
                .map(|source| Evaluator::new(&net, &device, &source, 130, loss, &how).unwrap().score().unwrap().unwrap().accuracy);
            assert_eq!((plain, marked), (0.1, 1.0));
        }
    }
}
