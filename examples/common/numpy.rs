//! NumPy's legacy random numbers, which given tables were made of: `numpy.random.seed` and `randn`.

use rand_mt::Mt;

/// What `numpy.random.seed(seed)` begins: the Mersenne twister MT19937, and normal numbers by Marsaglia's polar method.
pub struct NumPy {
    words: Mt,
    /// The method makes two numbers at once; NumPy gives out the second of them first.
    other: Option<f64>,
}

impl NumPy {
    pub fn seeded(seed: u32) -> Self {
        Self { words: Mt::new(seed), other: None }
    }

    /// `random_sample()`: 53 bits, in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        let [high, low] = [5, 6].map(|shift| f64::from(self.words.next_u32() >> shift));
        (high * 67_108_864.0 + low) / 9_007_199_254_740_992.0
    }

    fn normal(&mut self) -> f64 {
        if let Some(other) = self.other.take() {
            return other;
        }
        loop {
            let [a, b] = [(); 2].map(|()| 2.0 * self.uniform() - 1.0);
            let square = a * a + b * b;
            if square > 0.0 && square < 1.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.other = Some(factor * a);
                return factor * b;
            }
        }
    }

    /// `randn(count)`.
    pub fn normals(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.normal()).collect()
    }

    /// A whole number below `bound`. Not NumPy's: where no table depends on it, the same everywhere is enough.
    pub fn below(&mut self, bound: usize) -> usize {
        ((self.uniform() * bound as f64) as usize).min(bound - 1)
    }
}

/// `numpy.linspace(first, last, count)`: both ends included.
pub fn linspace(first: f64, last: f64, count: usize) -> Vec<f64> {
    (0..count).map(|i| first + (last - first) * i as f64 / (count - 1) as f64).collect()
}
