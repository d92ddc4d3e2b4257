//! What is in a data set: how much of each class, and which images stand in it twice.

use super::dataset::Dataset;
use super::images::ImageSet;
use super::split::Split;
use std::collections::HashMap;

/// The splits in their order.
const SPLITS: [Split; 3] = [Split::Train, Split::Val, Split::Test];

/// An image of a set: its split and its row there.
pub type Place = (Split, usize);

/// What is in a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// For each class its images to learn from, to choose by and to measure on; of images with masks, its pixels.
    pub counts: Vec<[usize; 3]>,
    /// Images that are the same, byte for byte, and stand in two splits: what is measured on is then not new.
    pub across: Vec<(Place, Place)>,
    /// Images that are the same as an earlier one of their split.
    pub within: usize,
}

impl Survey {
    /// Looks at every image of `data`.
    ///
    /// ```
    /// # use train::data::{Split, Survey, builtin};
    /// let mut data = builtin::generate(100, 20);
    /// data.val = data.train.select([7]);
    /// let survey = Survey::of(&data);
    /// assert_eq!(survey.counts[7], [10, 1, 2]);
    /// assert_eq!(survey.across, [((Split::Train, 7), (Split::Val, 0))]);
    /// ```
    pub fn of(data: &Dataset) -> Self {
        let mut counts = vec![[0; 3]; data.classes.len()];
        let mut seen: HashMap<&[u8], Place> = HashMap::new();
        let (mut across, mut within) = (Vec::new(), 0);
        for (column, split) in SPLITS.into_iter().enumerate() {
            let set: &ImageSet = data.split(split);
            for row in 0..set.len() {
                let mut count = |class: u32| counts.get_mut(class as usize).into_iter().for_each(|counts| counts[column] += 1);
                match set.has_masks() {
                    true => set.mask(row).iter().for_each(|&class| count(class.into())),
                    false => set.classes_of(row).iter().copied().for_each(count),
                }
                match *seen.entry(set.image(row)).or_insert((split, row)) {
                    (first, at) if first == split => within += usize::from(at != row),
                    first => across.push((first, (split, row))),
                }
            }
        }
        Self { counts, across, within }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::builtin;

    #[test]
    fn images_that_stand_in_a_set_twice_are_found() {
        let plain = builtin::generate(60, 30);
        let survey = Survey::of(&plain);
        assert_eq!((survey.within, survey.across.len()), (0, 0));
        assert!(survey.counts.iter().all(|counts| *counts == [6, 0, 3]));
        let twice = Dataset { train: plain.train.select((0..60).chain([3, 3])), val: plain.test.select([5]), ..plain };
        let survey = Survey::of(&twice);
        assert_eq!(survey.within, 2);
        assert_eq!(survey.across, [((Split::Val, 0), (Split::Test, 5))]);
        assert_eq!(survey.counts[3], [8, 0, 3]);
    }
}
