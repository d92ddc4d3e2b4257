//! How the values of a tensor are spread.

use serde::{Deserialize, Serialize};

/// Bars of a histogram.
const BARS: usize = 41;
/// Deviations from the mean to where it ends; what lies beyond is in its outermost bars.
const REACH: f64 = 4.0;

/// The values of a tensor, counted in bars of one width.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// Where the first bar begins, but for what lies below.
    pub low: f64,
    /// Where the last one ends, but for what lies above.
    pub high: f64,
    /// Values in each bar.
    pub counts: Vec<u32>,
    /// Their mean.
    pub mean: f64,
    /// Their deviation from it.
    pub std: f64,
}

impl Histogram {
    /// Of some values.
    ///
    /// ```
    /// let found = train::inspect::Histogram::of(&[1.0, 1.0, 3.0, 3.0]);
    /// assert_eq!((found.mean, found.std, found.counts.iter().sum::<u32>()), (2.0, 1.0, 4));
    /// ```
    pub fn of(values: &[f32]) -> Self {
        let n = values.len().max(1) as f64;
        let mean = values.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        let std = (values.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n).sqrt();
        // Wide enough to be one in f64, where all are alike.
        let reach = (REACH * std).max(1e-6 * mean.abs()).max(f64::MIN_POSITIVE);
        let (low, high) = (mean - reach, mean + reach);
        let mut counts = vec![0; BARS];
        for &value in values {
            let bar = (f64::from(value) - low) / (high - low) * BARS as f64;
            counts[(bar.max(0.0) as usize).min(BARS - 1)] += 1;
        }
        Self { low, high, counts, mean, std }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_its_bar_and_far_ones_in_the_outermost() {
        // Of mean 0 and deviation 1 but for one value.
        let mut values = vec![-1.0f32; 5000];
        values.extend([1.0; 5000]);
        values.push(100.0);
        let found = Histogram::of(&values);
        let bar = |value: f64| ((value - found.low) / (found.high - found.low) * BARS as f64) as usize;
        assert_eq!((found.counts[bar(-1.0)], found.counts[bar(1.0)], found.counts[BARS - 1]), (5000, 5000, 1));
        assert_eq!(found.counts.iter().sum::<u32>(), 10_001);
        assert!((found.mean - 0.01).abs() < 1e-3 && (found.std - 2f64.sqrt()).abs() < 1e-3, "{found:?}");
    }

    #[test]
    fn values_that_are_all_alike_are_in_the_middle() {
        for values in [&[0.0f32; 7][..], &[0.5; 7]] {
            let found = Histogram::of(values);
            assert_eq!((found.counts[BARS / 2], found.std), (7, 0.0));
        }
        assert_eq!(Histogram::of(&[]).counts, vec![0; BARS]);
    }
}
