//! A data set made by code, so that there is something to train on before anything is downloaded.
//!
//! Ten classes of 32 x 32 colour images: six shapes and four textures, at random in place, size, tilt, colour, light,
//! noise and clutter. Colour says nothing about the class, and no pixel says much: softmax regression on the pixels ends at
//! about 55 % of the test images, while four convolutions reach about 97 % after one epoch and 99 % after three.
//!
//! Every image is a pure function of its index, under a seed that is not the training seed, so accuracies compare from one
//! run and one machine to the next.

mod figure;
mod scene;

use rayon::prelude::*;

use self::figure::CLASSES;
use self::scene::{SIDE, Scene};
use super::dataset::Dataset;
use super::images::ImageSet;
use super::random::Stream;
use crate::photo::Reading;

/// The name by which `open` knows this set.
pub const NAME: &str = "builtin";
/// Training images of the set that `open("builtin")` gives.
pub const TRAIN_IMAGES: usize = 10_000;
/// Validation images of the set that `open("builtin")` gives.
pub const VAL_IMAGES: usize = 1_000;
/// Test images of the set that `open("builtin")` gives.
pub const TEST_IMAGES: usize = 2_000;

// Part of the set, like every constant below: with others it would be another set.
const TRAIN_SEED: u64 = 1;
const TEST_SEED: u64 = 2;
const VAL_SEED: u64 = 3;

// Measured on the 10,000 training images.
const MEAN: [f32; 3] = [0.2925, 0.2928, 0.2916];
const STD: [f32; 3] = [0.2129, 0.2118, 0.2123];

/// The set that `open("builtin")` gives. Its validation images are made like the others: there is no need to take any from those that
/// are learned from.
pub fn whole() -> Dataset {
    Dataset { val: render(VAL_SEED, VAL_IMAGES), ..generate(TRAIN_IMAGES, TEST_IMAGES) }
}

/// The first `train` and `test` images of the built-in set, `[n, 3, 32, 32]`. Image `i` has label `i % 10`.
///
/// Fewer images are the same images, fewer of them. The work is shared among the threads of rayon.
pub fn generate(train: usize, test: usize) -> Dataset {
    Dataset {
        name: NAME.to_owned(),
        train: render(TRAIN_SEED, train),
        val: render(VAL_SEED, 0),
        test: render(TEST_SEED, test),
        classes: CLASSES.iter().map(|(name, _)| (*name).to_owned()).collect(),
        mean: MEAN.to_vec(),
        std: STD.to_vec(),
        reading: Reading::default(),
    }
}

fn render(seed: u64, n: usize) -> ImageSet {
    const IMAGE_BYTES: usize = 3 * SIDE * SIDE;
    let mut images = vec![0; n * IMAGE_BYTES];
    images.par_chunks_exact_mut(IMAGE_BYTES).enumerate().for_each(|(i, image)| {
        let mut stream = Stream::new(seed, i as u64);
        Scene::draw(i % CLASSES.len(), &mut stream).render(&mut stream, image);
    });
    ImageSet::new(images, (0..n).map(|i| (i % CLASSES.len()) as u32).collect(), [3, SIDE, SIDE])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FNV-1a, 64 bits.
    fn checksum(bytes: &[u8]) -> u64 {
        bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    #[test]
    fn the_images_are_pinned() {
        let set = generate(200, 100);
        assert_eq!(checksum(set.train.images()), 0x9e4a_15b9_cc07_669e);
        assert_eq!(checksum(set.test.images()), 0x849f_3f75_0222_2804);
    }

    #[test]
    fn the_number_of_threads_changes_no_byte() {
        let on = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| generate(64, 32));
        assert_eq!(on(1), on(3));
    }

    #[test]
    fn fewer_images_are_the_first_of_many() {
        let (few, many) = (generate(7, 0), generate(30, 10));
        assert_eq!((few.train.len(), few.test.len()), (7, 0));
        for i in 0..7 {
            assert_eq!(few.train.image(i), many.train.image(i));
        }
    }

    #[test]
    fn no_two_images_are_alike() {
        let set = Dataset { val: render(VAL_SEED, 300), ..generate(300, 300) };
        let mut images: Vec<_> = [&set.train, &set.val, &set.test].iter().flat_map(|part| part.images().chunks(3072)).collect();
        images.sort_unstable();
        assert!(images.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn every_class_has_a_name_and_a_tenth_of_the_images() {
        let set = generate(100, 50);
        assert_eq!(set.classes.len(), 10);
        for class in 0..10 {
            let count = |set: &ImageSet| set.labels().iter().filter(|&&label| label == class).count();
            assert_eq!((count(&set.train), count(&set.test)), (10, 5));
        }
    }

    #[test]
    fn mean_and_deviation_are_those_of_the_images() {
        let set = generate(1000, 0);
        for channel in 0..3 {
            let values = || set.train.images().chunks(SIDE * SIDE).skip(channel).step_by(3).flatten();
            let average = |f: fn(f64) -> f64| values().map(|&x| f(f64::from(x) / 255.0)).sum::<f64>() / (1000.0 * 1024.0);
            let mean = average(|x| x);
            let std = (average(|x| x * x) - mean * mean).sqrt();
            assert!((mean - f64::from(set.mean[channel])).abs() < 0.01, "channel {channel}: mean {mean}");
            assert!((std - f64::from(set.std[channel])).abs() < 0.01, "channel {channel}: deviation {std}");
        }
    }

    /// `logits[k] = b[k] + sum over i of w[i][k] * x[i]`, the class innermost.
    struct Linear {
        w: Vec<[f32; 10]>,
        b: [f32; 10],
    }

    impl Linear {
        fn logits(&self, x: &[f32]) -> [f32; 10] {
            self.w.iter().zip(x).fold(self.b, |y, (w, x)| std::array::from_fn(|k| y[k] + w[k] * x))
        }

        /// One step down the gradient of the cross-entropy of one image.
        fn learn(&mut self, x: &[f32], label: usize, lr: f32) {
            let logits = self.logits(x);
            let largest = logits.into_iter().fold(f32::MIN, f32::max);
            let exponentials = logits.map(|y| (y - largest).exp());
            let sum: f32 = exponentials.iter().sum();
            let step: [f32; 10] = std::array::from_fn(|k| lr * (f32::from(k == label) - exponentials[k] / sum));
            for (w, x) in self.w.iter_mut().zip(x) {
                *w = std::array::from_fn(|k| w[k] + step[k] * x);
            }
            self.b = std::array::from_fn(|k| self.b[k] + step[k]);
        }

        fn predict(&self, x: &[f32]) -> usize {
            let logits = self.logits(x);
            (0..10).fold(0, |best, k| if logits[k] > logits[best] { k } else { best })
        }
    }

    #[test]
    fn a_linear_classifier_is_not_enough() {
        let set = generate(2000, 500);
        let pixels = |image: &[u8]| -> Vec<f32> { image.iter().map(|&x| f32::from(x) / 255.0 - 0.3).collect() };
        let mut linear = Linear { w: vec![[0.0; 10]; set.train.image_bytes()], b: [0.0; 10] };
        for epoch in 0..6 {
            for i in super::super::shuffled(set.train.len(), 0, epoch) {
                let (x, label) = (pixels(set.train.image(i as usize)), set.train.labels()[i as usize]);
                linear.learn(&x, label as usize, 1e-3);
            }
        }
        let right = (0..500).filter(|&i| linear.predict(&pixels(set.test.image(i))) == set.test.labels()[i] as usize).count();
        let accuracy = right as f32 / 500.0;
        assert!((0.15..0.6).contains(&accuracy), "accuracy {accuracy}");
    }
}
