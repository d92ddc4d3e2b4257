//! Several views of an image, of which a network is asked for the mean of what it says.

use gpu_core::{Tensor, ops};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which views an image has besides the image itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Tta {
    /// Its mirror image, left and right exchanged.
    Flip,
}

impl fmt::Display for Tta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl Tta {
    /// Turns the images of a batch (B, C, H, W), in place: kernels that may stand in a captured step.
    pub(crate) fn turn(self, x: &Tensor) {
        match self {
            Self::Flip => ops::copy_into(&ops::flip(x, &[3]), x),
        }
    }
}

/// `ln((softmax(a) + softmax(b)) / 2)` in double precision: logits whose softmax is the mean of the two.
pub(crate) fn mean_of(a: &[f32], b: &[f32]) -> Vec<f32> {
    let [a, b] = [a, b].map(log_softmax);
    let mean = |(a, b): (f64, f64)| a.max(b) + (-(a - b).abs()).exp().ln_1p() - std::f64::consts::LN_2;
    a.into_iter().zip(b).map(|pair| mean(pair) as f32).collect()
}

fn log_softmax(logits: &[f32]) -> Vec<f64> {
    let largest = logits.iter().fold(f64::NEG_INFINITY, |most, &x| most.max(f64::from(x)));
    let sum: f64 = logits.iter().map(|&x| (f64::from(x) - largest).exp()).sum();
    logits.iter().map(|&x| f64::from(x) - largest - sum.ln()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_that_of_the_probabilities() {
        // 0.5, 0.5 and 0.9, 0.1.
        let mean = mean_of(&[3.0, 3.0], &[9.0f32.ln(), 0.0]);
        assert!((f64::from(mean[0]).exp() - 0.7).abs() < 1e-6 && (f64::from(mean[1]).exp() - 0.3).abs() < 1e-6, "{mean:?}");
        // Far apart, none is infinite.
        assert!(mean_of(&[0.0, 5000.0], &[0.0, 5000.0]).iter().all(|x| x.is_finite()));
        assert!(mean_of(&[f32::NAN, 0.0], &[0.0, 0.0])[1].is_nan());
    }
}
