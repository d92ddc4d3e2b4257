//! Random bits by counting: draw `i` of a stream is a hash of (key, i), so no draw depends on who drew before.
//!
//! The hash is the output function of SplitMix64 (Steele, Lea and Flood, 2014): a 64-bit bijection whose outputs over
//! a counter in steps of the golden ratio pass the usual statistical batteries. It is kept apart from the generator that
//! serves initialisation and dropout: what it yields is part of the built-in data set, and must never change.

/// An endless sequence of random bits, fixed by its key.
#[derive(Debug, Clone)]
pub struct Stream {
    state: u64,
}

impl Stream {
    /// The stream of `(seed, index)`; streams of different pairs are unrelated.
    pub fn new(seed: u64, index: u64) -> Self {
        Self { state: mix(mix(seed).wrapping_add(index)) }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// An integer of `0..bound`, biased by less than `bound / 2^64`.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// A number of `low..=high`, in steps of 2^-24 of the range.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * ((self.bits() >> 40) as f32 / (1 << 24) as f32)
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the reference `splitmix64.c` (Vigna, 2015) with `x = 0`.
    #[test]
    fn bits_agree_with_the_reference() {
        let mut stream = Stream { state: 0 };
        assert_eq!(
            [stream.bits(), stream.bits(), stream.bits()],
            [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f]
        );
    }

    #[test]
    fn neighbouring_streams_share_no_draws() {
        let mut draws: Vec<u64> = (0..64)
            .flat_map(|i| [(i, 0), (0, i + 1)])
            .flat_map(|(seed, index)| {
                let mut stream = Stream::new(seed, index);
                [(); 64].map(|()| stream.bits())
            })
            .collect();
        draws.sort_unstable();
        assert!(draws.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn draws_stay_in_range_and_reach_all_of_it() {
        let mut stream = Stream::new(1, 2);
        let mut seen = [0; 7];
        for _ in 0..7000 {
            seen[stream.below(7) as usize] += 1;
            assert!((-2.0..=3.0).contains(&stream.between(-2.0, 3.0)));
        }
        assert!(seen.iter().all(|&count| (850..1150).contains(&count)), "{seen:?}");
    }
}
