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

#[cfg(test)]
mod tests {
    use super::*;

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
