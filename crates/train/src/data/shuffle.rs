//! The order of an epoch.

use super::random::Stream;

/// The numbers `0..n` in the random order of `(seed, epoch)`: the same on every machine, whatever was drawn before.
///
/// Fisher-Yates over counter-based bits, so a run that resumes at epoch 7 sees what the unbroken run would have seen.
///
/// # Panics
/// If `n` exceeds `u32::MAX`, the type of an image index.
pub fn shuffled(n: usize, seed: u64, epoch: u64) -> Vec<u32> {
    let n = u32::try_from(n).unwrap_or_else(|_| panic!("shuffled: {n} images do not fit a 32-bit index"));
    let mut order: Vec<u32> = (0..n).collect();
    let mut stream = Stream::new(seed, epoch);
    for last in (1..order.len()).rev() {
        let chosen = stream.below(last as u64 + 1) as usize;
        order.swap(last, chosen);
    }
    order
}

/// Batches of `batch` of the numbers `0..n` without an end: epoch after epoch, each in an order of its own, without those that are
/// left of it. Equivalent of `torch.utils.data.DataLoader` with `shuffle=True, drop_last=True`.
///
/// ```
/// # use train::data::batches;
/// let first: Vec<Vec<u32>> = batches(10, 4, 0).take(3).collect(); // two of the first epoch, one of the second
/// assert_eq!(first[..2].concat(), train::data::shuffled(10, 0, 0)[..8]);
/// assert_eq!(first[2], train::data::shuffled(10, 0, 1)[..4]);
/// ```
///
/// # Panics
/// If `batch` is 0 or larger than `n`, and as [`shuffled`].
#[track_caller]
pub fn batches(n: usize, batch: usize, seed: u64) -> impl Iterator<Item = Vec<u32>> {
    assert!((1..=n).contains(&batch), "batches: there is no batch of {batch} in {n} images");
    (0..).flat_map(move |epoch| shuffled(n, seed, epoch).chunks_exact(batch).map(<[u32]>::to_vec).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "batches: there is no batch of 11 in 10 images")]
    fn a_batch_larger_than_an_epoch_is_refused() {
        let _ = batches(10, 11, 0);
    }

    #[test]
    fn every_index_comes_once() {
        for n in [0, 1, 2, 3, 64, 1000] {
            let mut order = shuffled(n, 5, 9);
            order.sort_unstable();
            assert_eq!(order, (0..n as u32).collect::<Vec<_>>());
        }
    }

    /// From a second implementation, in Python's unbounded integers.
    #[test]
    fn the_order_is_pinned() {
        assert_eq!(shuffled(10, 0, 0), [4, 9, 2, 5, 1, 7, 6, 0, 3, 8]);
        assert_eq!(shuffled(50_000, 42, 3)[..4], [22673, 37665, 7340, 30185]);
    }

    #[test]
    fn seeds_and_epochs_give_different_orders() {
        let order = shuffled(100, 0, 0);
        for (seed, epoch) in [(0, 1), (1, 0), (1, 1), (0, 2), (2, 0)] {
            assert_ne!(order, shuffled(100, seed, epoch), "seed {seed}, epoch {epoch}");
        }
    }

    #[test]
    fn every_place_is_equally_likely() {
        let mut landed = [[0; 5]; 5];
        for epoch in 0..5000 {
            for (place, &index) in shuffled(5, 7, epoch).iter().enumerate() {
                landed[index as usize][place] += 1;
            }
        }
        // 1000 expected, standard deviation 28.
        assert!(landed.iter().flatten().all(|&count| (860..1140).contains(&count)), "{landed:?}");
    }
}
