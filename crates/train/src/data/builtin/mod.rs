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
use super::bits::Stream;
use super::{Dataset, ImageSet};

/// Training images of the set that `open("builtin")` gives.
pub const TRAIN_IMAGES: usize = 10_000;
/// Test images of the set that `open("builtin")` gives.
pub const TEST_IMAGES: usize = 2_000;

// Part of the set, like every constant below: with others it would be another set.
const TRAIN_SEED: u64 = 1;
const TEST_SEED: u64 = 2;

// Measured on the 10,000 training images.
const MEAN: [f32; 3] = [0.2925, 0.2928, 0.2916];
const STD: [f32; 3] = [0.2129, 0.2118, 0.2123];

/// The first `train` and `test` images of the built-in set, `[n, 3, 32, 32]`. Image `i` has label `i % 10`.
///
/// Fewer images are the same images, fewer of them. The work is shared among the threads of rayon.
pub fn generate(train: usize, test: usize) -> Dataset {
    Dataset {
        name: "builtin".to_owned(),
        train: render(TRAIN_SEED, train),
        test: render(TEST_SEED, test),
        classes: CLASSES.iter().map(|(name, _)| (*name).to_owned()).collect(),
        mean: MEAN.to_vec(),
        std: STD.to_vec(),
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
