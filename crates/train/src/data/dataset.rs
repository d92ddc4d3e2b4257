//! A data set: images to learn from, to choose by and to measure on.

use super::error::DataError;
use super::images::ImageSet;
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
    /// The name of each class; a label is an index into this list.
    pub classes: Vec<String>,
    /// Mean of `x / 255` over the training images, one number a channel.
    pub mean: Vec<f32>,
    /// Standard deviation of `x / 255` over the training images, one number a channel.
    pub std: Vec<f32>,
    /// What was done to pictures that became its images.
    pub reading: Reading,
}

impl Dataset {
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
            set.labels().iter().for_each(|label| hasher.update(&label.to_le_bytes()));
        }
        format!("{:08x}", hasher.finalize())
    }
}
