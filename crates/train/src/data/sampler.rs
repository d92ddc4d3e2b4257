//! Which images an epoch shows, and in which order.

use super::random::Stream;
use super::shuffle::shuffled;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How the images of an epoch are chosen. An epoch has as many as there are, and what it shows depends on seed and epoch alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Sampler {
    /// Each once, in random order.
    #[default]
    Shuffled,
    /// Drawn anew each time, so that every class comes equally often, however many images it has.
    Weighted,
}

impl fmt::Display for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl Sampler {
    /// The images of an epoch, of these labels, by their rows. [`Weighted`](Self::Weighted) is the equivalent of
    /// `torch.utils.data.WeightedRandomSampler` with a weight of 1 / n for an image of a class of n.
    ///
    /// ```
    /// # use train::data::Sampler;
    /// let labels = [0, 0, 0, 0, 0, 0, 0, 1];
    /// let ones = |order: Vec<u32>| order.into_iter().filter(|&row| labels[row as usize] == 1).count();
    /// assert_eq!(ones(Sampler::Shuffled.order(&labels, 0, 0)), 1);
    /// let drawn = (0..100).map(|epoch| ones(Sampler::Weighted.order(&labels, 0, epoch))).sum::<usize>();
    /// assert!((350..450).contains(&drawn)); // half of 800
    /// ```
    ///
    /// # Panics
    /// As [`shuffled`].
    pub fn order(self, labels: &[u32], seed: u64, epoch: u64) -> Vec<u32> {
        match self {
            Self::Shuffled => shuffled(labels.len(), seed, epoch),
            Self::Weighted => weighted(labels, seed, epoch),
        }
    }
}

/// As many rows as there are: for each a class, and one of its images.
fn weighted(labels: &[u32], seed: u64, epoch: u64) -> Vec<u32> {
    let mut by_class = vec![Vec::new(); labels.iter().max().map_or(0, |&label| label as usize + 1)];
    labels.iter().enumerate().for_each(|(row, &label)| by_class[label as usize].push(row as u32));
    by_class.retain(|rows| !rows.is_empty());
    let mut stream = Stream::new(seed, epoch);
    let mut one_of = |count: usize| stream.below(count as u64) as usize;
    let mut drawn = || {
        let rows = &by_class[one_of(by_class.len())];
        rows[one_of(rows.len())]
    };
    labels.iter().map(|_| drawn()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From a second implementation, in Python's unbounded integers; the class 2 has no image.
    #[test]
    fn what_is_drawn_is_pinned() {
        assert_eq!(weighted(&[0, 0, 0, 0, 0, 3, 1, 0, 3, 0], 5, 2), [0, 5, 8, 6, 6, 0, 4, 3, 6, 5]);
    }

    #[test]
    fn every_class_comes_equally_often_and_every_image_of_it() {
        let labels: Vec<u32> = (0..1000).map(|row| u32::from(row >= 900) + u32::from(row >= 990)).collect();
        let (mut of_class, mut of_row) = ([0; 3], [0; 1000]);
        for epoch in 0..30 {
            let order = Sampler::Weighted.order(&labels, 7, epoch);
            assert_eq!(order.len(), 1000);
            order.into_iter().for_each(|row| {
                of_class[labels[row as usize] as usize] += 1;
                of_row[row as usize] += 1;
            });
        }
        // 10,000 expected, standard deviation 82; of each of the last ten 1,000, standard deviation 31.
        assert!(of_class.iter().all(|count| (9700..10_300).contains(count)), "{of_class:?}");
        assert!(of_row[990..].iter().all(|count| (870..1130).contains(count)), "{:?}", &of_row[990..]);
        // The control: in order, the first class comes nine times in ten.
        let first = Sampler::Shuffled.order(&labels, 7, 0).into_iter().filter(|&row| labels[row as usize] == 0).count();
        assert_eq!(first, 900);
    }

    #[test]
    fn seeds_and_epochs_draw_others() {
        let labels = vec![0; 100];
        let order = |seed, epoch| Sampler::Weighted.order(&labels, seed, epoch);
        assert!([(0, 1), (1, 0)].iter().all(|&(seed, epoch)| order(0, 0) != order(seed, epoch)));
        assert_eq!(order(0, 0), order(0, 0));
        assert_eq!(Sampler::Weighted.order(&[], 0, 0), [0; 0]);
    }
}
