//! A batch that is computed in parts: their sums, and the update when all are there.
//!
//! The sums of the parts are added up as a binary tree, however many processes they are computed by: neighbours first, then pairs of
//! neighbours, and what is left over at the end from the right. So a share of 1, 2, 4, ... parts that are neighbours is a branch of the
//! tree, and the tree of the shares' sums is the upper part of the same one: [`join_shares`].

use super::error::StepError;
use crate::autograd::statistics::Found;
use crate::optim::Optimizer;
use gpu_core::{Capture, Device, Staging, Tensor, joined, ops};
use std::ops::Range;
use std::sync::Arc;

/// Which parts of a batch a step computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    /// Parts of the whole batch.
    pub of: u32,
    /// Those of this step.
    pub first: u32,
    pub count: u32,
}

impl Share {
    /// Of all parts.
    pub fn whole(of: u32) -> Self {
        Self { of, first: 0, count: of }
    }

    /// Of some that are neighbours.
    #[track_caller]
    pub fn part(of: u32, parts: Range<u32>) -> Self {
        let (first, count) = (parts.start, parts.end.saturating_sub(parts.start));
        let is_branch = count == of || (count.is_power_of_two() && first.is_multiple_of(count));
        assert!(
            count > 0 && parts.end <= of && is_branch,
            "share: parts {first}..{} of {of} are no branch of the tree of their sums; 1, 2, 4, ... neighbours are, or all",
            parts.end
        );
        Self { of, first, count }
    }

    /// Whether others compute the rest.
    pub fn is_shared(self) -> bool {
        self.count < self.of
    }
}

/// The sums of a share's parts.
pub(super) struct Parts {
    /// Of the part that was computed last, or of all that it was joined with: gradients for each optimiser, then statistics.
    sums: Vec<Tensor>,
    /// What waits to be joined with as many parts to its right: one part, two, four, ...
    levels: Vec<Level>,
    update: Capture,
    staging: Vec<Staging>,
}

struct Level {
    keep: Capture,
    join: Capture,
    bytes: u64,
}

impl Level {
    fn of(device: &Device, sums: &[Tensor]) -> Result<Self, StepError> {
        let waiting: Vec<Tensor> = sums.iter().map(|sum| Tensor::empty(device, sum.shape())).collect();
        let bytes = waiting.iter().map(|tensor| tensor.bytes() as u64).sum();
        let ((), keep) = device.capture(|| sums.iter().zip(&waiting).for_each(|(sum, waiting)| ops::copy_into(sum, waiting)))?;
        let ((), join) = device.capture(|| sums.iter().zip(&waiting).for_each(|(sum, waiting)| ops::join(waiting, sum)))?;
        Ok(Self { keep, join, bytes })
    }
}

impl Parts {
    /// For a share of `count` parts whose captured run leaves `sums`, those of `optimizers` in their order and then those of the blocks of
    /// `found`.
    pub fn new(
        device: &Device,
        count: u32,
        sums: Vec<Tensor>,
        optimizers: &[Arc<dyn Optimizer>],
        found: &Found,
    ) -> Result<Self, StepError> {
        let levels = (0..u32::BITS - (count - 1).leading_zeros()).map(|_| Level::of(device, &sums));
        let levels = levels.collect::<Result<_, _>>()?;
        let (gradients, statistics) = sums.split_at(optimizers.len());
        let ((), update) = device.capture(|| {
            for (optimizer, gradients) in optimizers.iter().zip(gradients) {
                optimizer.take(gradients);
                optimizer.update();
            }
            for moved in &found.uses {
                ops::accumulate(&moved.of(statistics), &moved.running.value(), moved.momentum, 1.0 - moved.momentum);
            }
        })?;
        let staging = sums.iter().map(|_| Staging::default()).collect();
        Ok(Self { sums, levels, update, staging })
    }

    /// Bytes besides those of the captured run.
    pub fn bytes(&self) -> u64 {
        self.update.bytes() + self.levels.iter().map(|level| level.bytes).sum::<u64>()
    }

    /// Numbers in the sums.
    pub fn len(&self) -> usize {
        self.sums.iter().map(Tensor::len).sum()
    }

    /// Each of the sums, and where it stands among the numbers of all.
    fn places(&self) -> impl Iterator<Item = (&Tensor, Range<usize>)> {
        let ends = self.sums.iter().scan(0, |end, sum| {
            *end += sum.len();
            Some(*end)
        });
        self.sums.iter().zip(ends).map(|(sum, end)| (sum, end - sum.len()..end))
    }

    pub fn read(&self) -> Result<Vec<f32>, StepError> {
        let mut values = vec![0.0; self.len()];
        for ((sum, place), staging) in self.places().zip(&self.staging) {
            sum.read_by(staging, &mut values[place])?;
        }
        Ok(values)
    }

    #[track_caller]
    pub fn write(&self, values: &[f32]) {
        assert!(values.len() == self.len(), "finish: {} sums are given, the step has {}", values.len(), self.len());
        self.places().for_each(|(sum, place)| sum.write(&values[place]));
    }

    /// Takes the sums of the part that was just computed, of this number in the share: joins what waits for it and has it wait in turn,
    /// or for the last one joins all that is left.
    pub fn add(&self, part: u32, is_last: bool) -> Result<(), StepError> {
        let waited_for = if is_last { part } else { part & !(part + 1) };
        for level in (0..self.levels.len()).filter(|level| waited_for >> level & 1 == 1) {
            self.levels[level].join.replay()?;
        }
        if !is_last {
            self.levels[part.trailing_ones() as usize].keep.replay()?;
        }
        Ok(())
    }

    /// The update by what lies in the sums.
    pub fn update(&self) -> Result<(), StepError> {
        Ok(self.update.replay()?)
    }
}

/// The sum over all shares of a batch, of what each has as its [`part_sums`](crate::Step::part_sums), in the shares' order: to the same bits as
/// one step that computes all parts.
///
/// ```
/// // The one to the right, which has no neighbour, is joined last.
/// assert_eq!(nn::join_shares(vec![vec![1.0], vec![1e-8], vec![1e-8]]), [(1.0 + 1e-8) + 1e-8]);
/// ```
///
/// # Panics
/// If there is no share, or one has another length.
#[track_caller]
pub fn join_shares(shares: Vec<Vec<f32>>) -> Vec<f32> {
    let mut waiting: Vec<(u32, Vec<f32>)> = Vec::new();
    let join = |left: Vec<f32>, right: &mut Vec<f32>| {
        assert!(left.len() == right.len(), "join_shares: {} numbers and {} are of different steps", left.len(), right.len());
        left.iter().zip(right).for_each(|(&left, right)| *right = joined(left, *right));
    };
    for mut sum in shares {
        let mut parts = 1;
        while waiting.last().is_some_and(|(of, _)| *of == parts) {
            let (of, left) = waiting.pop().expect("it was looked at");
            join(left, &mut sum);
            parts += of;
        }
        waiting.push((parts, sum));
    }
    let (_, mut sum) = waiting.pop().expect("there is a share");
    while let Some((_, left)) = waiting.pop() {
        join(left, &mut sum);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_joined_in_pairs_and_what_is_left_over_from_the_right() {
        // Each number is its own name: sums of f32 that differ by their order.
        let [a, b, c, d, e, f, g] = [1.0e8, 3.3, -1.0e8, 7.7e-7, 5.5, -3.3e7, 2.2e-3f32];
        let of = |shares: &[f32]| join_shares(shares.iter().map(|&share| vec![share]).collect())[0];
        assert_eq!(of(&[a]), a);
        assert_eq!(of(&[a, b]), a + b);
        assert_eq!(of(&[a, b, c]), (a + b) + c);
        assert_eq!(of(&[a, b, c, d]), (a + b) + (c + d));
        assert_eq!(of(&[a, b, c, d, e]), ((a + b) + (c + d)) + e);
        assert_eq!(of(&[a, b, c, d, e, f]), ((a + b) + (c + d)) + (e + f));
        assert_eq!(of(&[a, b, c, d, e, f, g]), ((a + b) + (c + d)) + ((e + f) + g));
        assert_ne!(of(&[a, b, c, d]), ((a + b) + c) + d, "these numbers cannot tell");
    }

    #[test]
    #[should_panic(expected = "share: parts 1..3 of 4 are no branch of the tree of their sums")]
    fn a_share_across_branches_is_refused() {
        let _ = Share::part(4, 1..3);
    }
}
