//! What a pool keeps for the next tensor of the same size: no more than there is a use for.
//!
//! A program whose tensors have a few sizes finds each of them again. One whose sizes never come back would keep everything that it
//! ever had. So what lies idle has an allowance, and over it the buffers go that have lain longest. A size that went and is asked for
//! again says that the allowance was too small, and doubles it: a training, whose steps ask for the same sizes in turn, makes nothing
//! anew once a few of them are done.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

/// Bytes that may always lie idle.
const LEAST: u64 = 32 << 20;
/// Sizes that are remembered after their buffers went.
const REMEMBERED: usize = 4096;

/// Idle buffers.
#[derive(Debug)]
pub(super) struct Idle<B> {
    /// With the moment at which each was given back, the latest last.
    of_size: HashMap<usize, VecDeque<(u64, B)>>,
    /// The size of each, by that moment.
    since: BTreeMap<u64, usize>,
    moment: u64,
    bytes: u64,
    allowance: u64,
    /// Sizes that were let go.
    gone: HashSet<usize>,
}

impl<B> Default for Idle<B> {
    fn default() -> Self {
        let (of_size, since, gone) = Default::default();
        Self { of_size, since, moment: 0, bytes: 0, allowance: LEAST, gone }
    }
}

impl<B> Idle<B> {
    /// A buffer of this size, if one is there.
    pub fn take(&mut self, bytes: usize) -> Option<B> {
        let Some((moment, buffer)) = self.of_size.get_mut(&bytes).and_then(VecDeque::pop_back) else {
            if self.gone.remove(&bytes) {
                self.allowance = self.allowance.saturating_mul(2);
                self.gone.clear();
            }
            return None;
        };
        self.since.remove(&moment);
        self.bytes -= bytes as u64;
        Some(buffer)
    }

    /// Takes a buffer back.
    pub fn give(&mut self, bytes: usize, buffer: B) {
        self.moment += 1;
        self.of_size.entry(bytes).or_default().push_back((self.moment, buffer));
        self.since.insert(self.moment, bytes);
        self.bytes += bytes as u64;
    }

    /// Lets those go that have lain longest, until no more than `lent` bytes or the allowance lie idle: buffers and their sizes.
    pub fn settle(&mut self, lent: u64) -> Vec<(usize, B)> {
        let mut going = Vec::new();
        while self.bytes > self.allowance.max(lent) {
            let Some((_, bytes)) = self.since.pop_first() else { break };
            let of_size = self.of_size.entry(bytes).or_default();
            going.extend(of_size.pop_front().map(|(_, buffer)| (bytes, buffer)));
            if of_size.is_empty() {
                self.of_size.remove(&bytes);
            }
            self.bytes -= bytes as u64;
            if self.gone.len() < REMEMBERED {
                self.gone.insert(bytes);
            }
        }
        going
    }

    /// Lets all go, and begins anew; how many bytes they have.
    pub fn clear(&mut self) -> u64 {
        std::mem::take(self).bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a pool without tensors in use would make anew in a round of these sizes.
    fn made(idle: &mut Idle<()>, sizes: &[usize]) -> usize {
        let mut made = 0;
        for &bytes in sizes {
            made += usize::from(idle.take(bytes).is_none());
            idle.give(bytes, ());
            idle.settle(0);
        }
        made
    }

    #[test]
    fn sizes_that_do_not_come_back_are_let_go() {
        let mut idle = Idle::default();
        let rising: Vec<usize> = (1..=1500).map(|i| i << 10).collect();
        assert_eq!((made(&mut idle, &rising), idle.allowance), (1500, LEAST));
        assert!(idle.bytes <= LEAST && idle.bytes > LEAST - (1500 << 10), "{} bytes", idle.bytes);
        assert_eq!(idle.of_size.values().map(VecDeque::len).sum::<usize>(), idle.since.len());
    }

    #[test]
    fn sizes_that_come_back_are_made_once_in_the_end() {
        let mut idle = Idle::default();
        let step: Vec<usize> = (1..=100).map(|i| i << 20).collect();
        let rounds: Vec<usize> = (0..12).map(|_| made(&mut idle, &step)).collect();
        assert!(rounds[0] == 100 && rounds[8..] == [0; 4], "{rounds:?}");
        let all = step.iter().sum::<usize>() as u64;
        assert_eq!(idle.bytes, all);
        assert!(idle.allowance < 4 * all);
    }

    #[test]
    fn as_much_as_is_lent_may_lie_idle_and_the_latest_stays() {
        let mut idle = Idle::default();
        (0..4).for_each(|i| idle.give(32 << 20, i));
        assert_eq!(idle.settle(3 * LEAST), [(32 << 20, 0)]);
        assert_eq!(idle.settle(0), [(32 << 20, 1), (32 << 20, 2)]);
        assert_eq!((idle.take(32 << 20), idle.take(32 << 20)), (Some(3), None));
        assert_eq!(idle.clear(), 0);
    }
}
