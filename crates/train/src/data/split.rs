//! Which images of a set are held out.
//!
//! The choice knows no seed: runs of every seed are judged by the same images, so that their figures compare, a run that is continued
//! needs nothing but its data set, and what one run was chosen by is never what another, averaged with it, has learned from. Each
//! image has a number that is as good as drawn, from the name of its file or else its place in the set, and those with the smallest
//! numbers of each class are held out. A photo that is added or renamed moves itself and hardly another one.

use super::error::DataError;
use super::images::ImageSet;
use super::random::Stream;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// The key of all choices; with another one they would be others.
const KEY: u64 = 0x7661_6c69_6461_7465;

/// The parts of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Split {
    /// The images that are learned from.
    Train,
    /// The images that the best weights are chosen by.
    Val,
    /// The images that are measured on at the end.
    Test,
}

impl Split {
    /// As it is called in keys and files.
    pub fn key(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    /// As it stands before `images`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "training",
            Self::Val => "validation",
            Self::Test => "test",
        })
    }
}

/// How many images of a set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Amount {
    /// So many.
    Images(usize),
    /// This share of them, above 0 and below 1, rounded to whole images; one at least.
    Share(f64),
}

impl Amount {
    fn of(self, images: usize) -> usize {
        match self {
            Self::Images(count) => count,
            Self::Share(share) => ((images as f64 * share).round() as usize).max(1),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Images(count) => count.fmt(f),
            Self::Share(share) => share.fmt(f),
        }
    }
}

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || format!("{text:?} is neither a number of images from 1 on nor a share above 0 and below 1");
        match (text.parse::<u64>(), text.parse::<f64>()) {
            (Ok(count), _) if count > 0 && i64::try_from(count).is_ok() => {
                usize::try_from(count).map(Self::Images).map_err(|_| wanted())
            }
            (Err(_), Ok(share)) if share > 0.0 && share < 1.0 => Ok(Self::Share(share)),
            _ => Err(wanted()),
        }
    }
}

/// Takes `amount` of the images out of `set`, which belongs to the data set `name`: of each class in proportion, where an image with
/// several counts for the rarest of them.
///
/// # Errors
/// If not at least one image of each class would be left.
pub(super) fn held_out(set: &mut ImageSet, amount: Amount, name: &str) -> Result<ImageSet, DataError> {
    let labels = rarest(set);
    let mut by_class = vec![Vec::new(); labels.iter().max().map_or(0, |&label| label as usize + 1)];
    for (row, &label) in labels.iter().enumerate() {
        by_class[label as usize].push(row);
    }
    let sizes: Vec<usize> = by_class.iter().map(Vec::len).collect();
    let (wanted, most) = (amount.of(set.len()), sizes.iter().map(|size| size.saturating_sub(1)).sum());
    if wanted > most {
        return Err(DataError::HoldOut { name: name.to_owned(), wanted, images: set.len(), most });
    }
    let mut rows = Vec::new();
    for (mut class, count) in by_class.into_iter().zip(in_proportion(&sizes, wanted)) {
        class.sort_by_cached_key(|&row| (number(set, row), row));
        rows.extend_from_slice(&class[..count]);
    }
    rows.sort_unstable();
    Ok(set.take(&rows))
}

/// The class of each image, of several the one that the fewest images have.
fn rarest(set: &ImageSet) -> Vec<u32> {
    let mut counts = HashMap::<u32, usize>::new();
    (0..set.len()).flat_map(|row| set.classes_of(row)).for_each(|class| *counts.entry(*class).or_default() += 1);
    let rarest = |row| set.classes_of(row).iter().min_by_key(|class| counts[class]).expect("an image has a class");
    (0..set.len()).map(rarest).copied().collect()
}

/// `wanted` in parts that are to one another as `sizes` are, each smaller than its size: by the largest remainders.
fn in_proportion(sizes: &[usize], wanted: usize) -> Vec<usize> {
    let total = sizes.iter().sum::<usize>().max(1) as u128;
    let exact = |size: usize| size as u128 * wanted as u128;
    let mut parts: Vec<usize> = sizes.iter().map(|&size| (exact(size) / total) as usize).collect();
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&class| std::cmp::Reverse(exact(sizes[class]) % total));
    let mut left = wanted - parts.iter().sum::<usize>();
    for &class in order.iter().cycle() {
        if left == 0 {
            break;
        }
        if parts[class] + 1 < sizes[class] {
            parts[class] += 1;
            left -= 1;
        }
    }
    parts
}

/// The number of an image that decides whether it is held out.
fn number(set: &ImageSet, row: usize) -> u64 {
    set.file(row).map_or_else(|| Stream::new(KEY, row as u64).bits(), number_of)
}

/// The same on every system, whatever stands between the names of a path there.
fn number_of(file: &Path) -> u64 {
    let names = file.components().map(|name| name.as_os_str().as_encoded_bytes());
    let path = names.collect::<Vec<_>>().join(&b'/');
    path.chunks(8).fold(KEY ^ path.len() as u64, |key, chunk| {
        let word = chunk.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
        Stream::new(key, word).bits()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::label_sets::LabelSets;
    use std::path::PathBuf;

    /// Images of one pixel, which is their row.
    fn set(labels: &[u32]) -> ImageSet {
        ImageSet::new((0..labels.len()).map(|row| row as u8).collect(), labels.to_vec(), [1, 1, 1])
    }

    fn counts(set: &ImageSet, classes: u32) -> Vec<usize> {
        (0..classes).map(|class| set.labels().iter().filter(|label| **label == class).count()).collect()
    }

    #[test]
    fn every_class_is_held_out_in_proportion_and_no_image_is_in_both_parts() {
        let labels: Vec<u32> = (0..200)
            .map(|i| {
                if i % 10 < 6 {
                    0
                } else if i % 10 < 9 {
                    1
                } else {
                    2
                }
            })
            .collect();
        for (amount, wanted) in
            [(Amount::Share(0.1), [12, 6, 2]), (Amount::Images(50), [30, 15, 5]), (Amount::Images(1), [1, 0, 0])]
        {
            let mut train = set(&labels);
            let val = held_out(&mut train, amount, "x").unwrap();
            assert_eq!(counts(&val, 3), wanted, "{amount}");
            let mut all = [train.images(), val.images()].concat();
            all.sort_unstable();
            assert_eq!(all, set(&labels).images(), "each once");
            for part in [&train, &val] {
                assert!(part.images().is_sorted(), "in their order");
                (0..part.len()).for_each(|i| assert_eq!(part.labels()[i], labels[usize::from(part.image(i)[0])]));
            }
        }
    }

    #[test]
    fn each_class_keeps_an_image_or_the_amount_is_refused() {
        let labels = [0, 0, 0, 0, 1, 2, 2];
        for wanted in 1..=4 {
            let mut train = set(&labels);
            let val = held_out(&mut train, Amount::Images(wanted), "x").unwrap();
            assert_eq!(val.len(), wanted);
            assert!(counts(&train, 3).iter().all(|&left| left > 0), "{wanted}: {train:?}");
        }
        let error = held_out(&mut set(&labels), Amount::Images(5), "x").unwrap_err().to_string();
        assert!(error.contains("5 of the 7 training images") && error.contains("at most 4"), "{error}");
        assert!(held_out(&mut set(&[]), Amount::Share(0.5), "x").is_err());
    }

    /// Three of four images have the class 0; those that have another one besides are held out as that one's.
    #[test]
    fn an_image_of_several_classes_is_held_out_for_the_rarest() {
        let sets = LabelSets::new(vec![vec![0], vec![0, 1], vec![2]], 3);
        let mut train = set(&(0..80).map(|i| [0, 0, 1, 2][i % 4]).collect::<Vec<_>>()).with_label_sets(sets);
        let val = held_out(&mut train, Amount::Images(20), "x").unwrap();
        assert_eq!(counts(&val, 3), [10, 5, 5]);
        assert_eq!((counts(&train, 3), val.label_sets()), (vec![30, 15, 15], train.label_sets()));
    }

    #[test]
    fn parts_are_those_of_the_largest_remainders() {
        // 10 of 100: 3.4, 3.3, 3.3.
        assert_eq!(in_proportion(&[34, 33, 33], 10), [4, 3, 3]);
        assert_eq!(in_proportion(&[5000; 10], 5000), [500; 10]);
        assert_eq!(in_proportion(&[1, 98, 1], 97), [0, 97, 0]);
    }

    /// The choice is a promise: a run that is continued must find it again. From a second implementation, in Python's integers.
    #[test]
    fn the_choice_is_pinned() {
        let mut train = set(&[0; 40]);
        assert_eq!(held_out(&mut train, Amount::Images(4), "x").unwrap().images(), [12, 18, 22, 36]);
        assert_eq!(number_of(Path::new("cat/1.jpg")), 0x5a7e_1f47_c7d1_00df);
    }

    #[test]
    fn files_are_chosen_by_their_names_and_a_new_one_moves_hardly_another() {
        let named = |names: Vec<String>| {
            let files: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
            let mut train = set(&vec![0; files.len()]).with_files(files);
            let val = held_out(&mut train, Amount::Images(10), "x").unwrap();
            (0..val.len()).map(|i| val.file(i).unwrap().to_owned()).collect::<Vec<_>>()
        };
        let names = |skip: usize| (0..100).filter(|i| *i != skip).map(|i| format!("cat/{i:03}.jpg")).collect::<Vec<_>>();
        let (all, without) = (named(names(100)), named(names(0)));
        assert!(without.iter().filter(|file| !all.contains(file)).count() <= 1, "{all:?} {without:?}");
        assert_ne!(number_of(Path::new("a/b")), number_of(Path::new("ab")));
        assert_ne!(number_of(Path::new("a")), number_of(Path::new("a\0")));
    }

    #[test]
    fn an_amount_is_a_count_or_a_share() {
        for (text, wanted) in [("5000", Amount::Images(5000)), ("0.1", Amount::Share(0.1)), (".25", Amount::Share(0.25))] {
            assert_eq!(text.parse(), Ok(wanted));
            assert_eq!(wanted.to_string().parse(), Ok(wanted));
        }
        for text in ["0", "1.0", "1.5", "-1", "nan", "inf", "", "many", "0.0", "9223372036854775808", "18446744073709551616"] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
        assert_eq!((Amount::Share(0.001).of(30), Amount::Share(0.5).of(30)), (1, 15));
    }
}
