//! A data set: images to learn from, to choose by and to measure on.

use super::error::DataError;
use super::images::ImageSet;
use super::moments::moments;
use super::split::{Amount, Split, held_out};
use crate::photo::Reading;

/// Images of the same classes and size, to learn from, to choose by and to measure on.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// What it is called, e.g. `CIFAR-10`.
    pub name: String,
    /// The images to learn from.
    pub train: ImageSet,
    /// The images to choose the best weights by; none where the set has no such and none were [held out](Self::hold_out).
    pub val: ImageSet,
    /// The images to measure on.
    pub test: ImageSet,
    /// The name of each class. An index into this list is a label; where an image may have several, what [`ImageSet::classes_of`] gives;
    /// where images have masks, what stands in those.
    pub classes: Vec<String>,
    /// Mean of `x / 255` over the training images, one number a channel.
    pub mean: Vec<f32>,
    /// Standard deviation of `x / 255` over the training images, one number a channel.
    pub std: Vec<f32>,
    /// What was done to pictures that became its images.
    pub reading: Reading,
}

impl Dataset {
    /// Images that lie in memory: those to learn from, with their mean and deviation, and those to measure on, which may be none.
    ///
    /// ```
    /// # use train::data::{Dataset, ImageSet};
    /// let train = ImageSet::new(vec![0, 255, 0, 255], vec![0, 1], [1, 1, 2]);
    /// let test = ImageSet::new(vec![9, 9], vec![1], [1, 1, 2]);
    /// let data = Dataset::new("dots", vec!["left".into(), "right".into()], train, test);
    /// assert_eq!((data.mean[0], data.std[0]), (0.5, 0.5));
    /// ```
    ///
    /// # Panics
    /// If there are no images to learn from, the others have another shape, a label is no class, or the images do not lie in
    /// [memory](ImageSet::is_in_memory).
    #[track_caller]
    pub fn new(name: impl Into<String>, classes: Vec<String>, train: ImageSet, test: ImageSet) -> Self {
        assert!(!train.is_empty(), "Dataset: no images to learn from");
        let shape = |set: &ImageSet| [set.channels(), set.height(), set.width()];
        assert!(shape(&train) == shape(&test), "Dataset: images of {:?}, and of {:?} to measure on", shape(&train), shape(&test));
        let labels = [&train, &test].into_iter().flat_map(|set| (0..set.len()).flat_map(|image| set.classes_of(image)));
        let wrong = labels.copied().find(|label| *label as usize >= classes.len());
        assert!(wrong.is_none(), "Dataset: label {wrong:?} of {} classes", classes.len());
        assert!(train.is_in_memory(), "Dataset: images that do not lie in memory");
        let rows = Vec::from_iter(0..train.len() as u32);
        let (mean, std) = moments(&train, &rows, &|| {}).expect("what lies in memory is read");
        Self { name: name.into(), val: train.none(), train, test, classes, mean, std, reading: Reading::default() }
    }

    /// The images of a split.
    pub fn split(&self, split: Split) -> &ImageSet {
        match split {
            Split::Train => &self.train,
            Split::Val => &self.val,
            Split::Test => &self.test,
        }
    }

    /// Holds `amount` of the training images out, for validation: of each class in proportion, the same ones whatever the seed of a
    /// run, so that runs compare; where images are files, by their names. Equivalent of
    /// `sklearn.model_selection.train_test_split` with `stratify`.
    ///
    /// ```
    /// # use train::data::{Amount, builtin};
    /// let mut data = builtin::generate(200, 0);
    /// data.hold_out(Amount::Share(0.1))?;
    /// assert_eq!((data.train.len(), data.val.len()), (180, 20)); // two of each of the ten classes
    /// # Ok::<(), train::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// If not at least one image of each class is left to learn from.
    pub fn hold_out(&mut self, amount: Amount) -> Result<(), DataError> {
        self.val = held_out(&mut self.train, amount, &self.name)?;
        Ok(())
    }

    /// The same for test images, where the set has none.
    ///
    /// # Errors
    /// As [`hold_out`](Self::hold_out).
    pub fn hold_out_test(&mut self, amount: Amount) -> Result<(), DataError> {
        self.test = held_out(&mut self.train, amount, &self.name)?;
        Ok(())
    }

    /// Whether each image has a file of its own.
    pub fn has_files(&self) -> bool {
        !self.train.is_empty() && self.train.file(0).is_some()
    }

    /// Whether it is each pixel of an image that has a class.
    pub fn has_masks(&self) -> bool {
        self.train.has_masks()
    }

    /// Whether an image may have several labels.
    pub fn is_multi_label(&self) -> bool {
        self.train.label_sets().is_some()
    }

    /// Forgets the validation images.
    pub fn without_val(&mut self) {
        self.val = self.train.none();
    }

    /// Eight digits that tell it from another: CRC-32 of the images, their sizes and labels, and of the classes. Of images that do not lie
    /// in memory it is the names and lengths of their files that count.
    ///
    /// ```
    /// # use train::data::builtin;
    /// let fingerprint = builtin::generate(10, 10).fingerprint();
    /// assert_eq!(fingerprint, builtin::generate(10, 10).fingerprint());
    /// assert_ne!(fingerprint, builtin::generate(10, 11).fingerprint());
    /// ```
    pub fn fingerprint(&self) -> String {
        let mut hasher = crc32fast::Hasher::new();
        // A set without validation images has the fingerprint that it had when there were none.
        let val = Some(&self.val).filter(|val| !val.is_empty());
        for set in [&self.train, &self.test].into_iter().chain(val) {
            for number in [set.len(), set.channels(), set.height(), set.width(), self.classes.len()] {
                hasher.update(&(number as u64).to_le_bytes());
            }
            set.identify(&mut |bytes| hasher.update(bytes));
            for classes in (0..set.len()).map(|row| set.classes_of(row)) {
                if set.label_sets().is_some() {
                    hasher.update(&(classes.len() as u32).to_le_bytes());
                }
                classes.iter().for_each(|class| hasher.update(&class.to_le_bytes()));
            }
        }
        format!("{:08x}", hasher.finalize())
    }
}
