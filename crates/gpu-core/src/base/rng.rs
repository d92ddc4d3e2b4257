//! Counter-based random numbers: Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
//!
//! Every number is a pure function of `(seed, stream, step, index)`: no state, no order, the same bits on the CPU as in
//! `shaders/prelude.wgsl` on the GPU. A layer owns a stream, a training step is the step, an element is the index.

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// Four random words for a counter and a key: ten rounds.
///
/// ```
/// // The paper's own known-answer test.
/// assert_eq!(gpu_core::rng::philox4x32([0; 4], [0; 2]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
/// ```
pub fn philox4x32(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for round in 0..10 {
        if round > 0 {
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        let product = |i: usize| u64::from(MULTIPLIERS[i]) * u64::from(counter[2 * i]);
        let (p0, p1) = (product(0), product(1));
        counter = [(p1 >> 32) as u32 ^ counter[1] ^ key[0], p1 as u32, (p0 >> 32) as u32 ^ counter[3] ^ key[1], p0 as u32];
    }
    counter
}

/// A 32-bit word in [0, 1): its 24 high bits, so that every value is exact in f32.
pub fn unit_f32(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// What an operator draws its random words with: a seed and a stream number. The step comes from a tensor on the device, so that
/// a replayed capture draws anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// Shared by a whole training.
    pub seed: u64,
    /// One for each user of random numbers.
    pub stream: u32,
}

/// One stream of random words: a seed, a stream number and a step.
///
/// ```
/// use gpu_core::rng::Stream;
/// let a = Stream::new(7, 1, 0);
/// assert_eq!(a.word(5), Stream::new(7, 1, 0).word(5));
/// assert_ne!(a.word(5), Stream::new(7, 2, 0).word(5));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    key: [u32; 2],
    stream: u32,
    step: u32,
}

impl Stream {
    /// The stream `stream` of `seed` at `step`.
    pub fn new(seed: u64, stream: u32, step: u32) -> Self {
        Self { key: [seed as u32, (seed >> 32) as u32], stream, step }
    }

    /// Words `4 * block .. 4 * block + 4`.
    pub fn block(&self, block: u32) -> [u32; 4] {
        philox4x32([block, self.stream, self.step, 0], self.key)
    }

    /// The `L` blocks from `first` on, word by word: `blocks(first)[j][i]` is `block(first + i)[j]`. Laid out so that the compiler
    /// computes several blocks at once.
    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "four arrays are walked together")]
    pub fn blocks<const L: usize>(&self, first: u32) -> [[u32; L]; 4] {
        let mut key = self.key;
        let mut c = [[0; L], [self.stream; L], [self.step; L], [0; L]];
        c[0] = std::array::from_fn(|i| first.wrapping_add(i as u32));
        for _ in 0..10 {
            for i in 0..L {
                let p0 = u64::from(MULTIPLIERS[0]) * u64::from(c[0][i]);
                let p1 = u64::from(MULTIPLIERS[1]) * u64::from(c[2][i]);
                (c[0][i], c[2][i]) = ((p1 >> 32) as u32 ^ c[1][i] ^ key[0], (p0 >> 32) as u32 ^ c[3][i] ^ key[1]);
                (c[1][i], c[3][i]) = (p1 as u32, p0 as u32);
            }
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        c
    }

    /// Word `index`.
    pub fn word(&self, index: u64) -> u32 {
        self.block((index / 4) as u32)[(index % 4) as usize]
    }

    /// Number `index`, uniform in [0, 1).
    pub fn uniform(&self, index: u64) -> f32 {
        unit_f32(self.word(index))
    }

    /// Number `index`, normal with mean 0 and variance 1 (Box-Muller over two words; computed in f64 on the host).
    pub fn normal(&self, index: u64) -> f32 {
        let words = self.block((index / 2) as u32);
        let pair = 2 * (index % 2) as usize;
        // The radius' argument is in (0, 1]: a logarithm of zero cannot happen.
        let radius = (-2.0 * ((f64::from(words[pair]) + 1.0) / 4_294_967_296.0).ln()).sqrt();
        (radius * (std::f64::consts::TAU * f64::from(words[pair + 1]) / 4_294_967_296.0).cos()) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the reference implementation's `kat_vectors`.
    #[test]
    fn philox_gives_the_published_vectors() {
        let ones = u32::MAX;
        assert_eq!(philox4x32([ones; 4], [ones; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            philox4x32([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn several_blocks_at_once_are_the_blocks() {
        let stream = Stream::new(0x0123_4567_89ab_cdef, 7, 9);
        for first in [0, 5, u32::MAX - 2] {
            let words = stream.blocks::<8>(first);
            for i in 0..8 {
                assert_eq!(words.map(|w| w[i]), stream.block(first.wrapping_add(i as u32)));
            }
        }
    }

    #[test]
    fn normals_have_mean_zero_and_variance_one() {
        let stream = Stream::new(1, 2, 3);
        let values: Vec<f64> = (0..100_000).map(|i| f64::from(stream.normal(i))).collect();
        let mean = values.iter().sum::<f64>() / 1e5;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 1e5;
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.02, "mean {mean}, variance {variance}");
    }
}
