//! What a network says of an image that may have several labels: of each class by itself, whether the image has it.
//!
//! A logit x says it with the probability `p = 1 / (1 + exp(-x))`. The loss of an image is the mean of `-ln p` over the classes that it has
//! and `-ln(1 - p)` over the others: PyTorch's `BCEWithLogitsLoss`. Above a probability of 0.5 a class is taken for there.

/// How likely it is that an image has a class.
pub fn probability(logit: f32) -> f64 {
    1.0 / (1.0 + (-f64::from(logit)).exp())
}

/// What was said of an image, held against the classes that it has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// Mean over all classes of the cross-entropy of two, that it has the class and that it has not.
    pub loss: f64,
    /// Classes of which it was told rightly whether it has them.
    pub right: usize,
}

impl Judged {
    /// Of a logit for each class; `has` are the classes that the image has.
    ///
    /// ```
    /// # use train::multi_label::Judged;
    /// let judged = Judged::of(&[0.0, 9.0, -9.0], &[1, 2]);
    /// assert_eq!((judged.right, (judged.loss - 3.2311).abs() < 1e-4), (2, true)); // the last was missed
    /// ```
    pub fn of(logits: &[f32], has: &[u32]) -> Self {
        let (mut loss, mut right) = (0.0, 0);
        for (class, &logit) in logits.iter().enumerate() {
            let (x, is_there) = (f64::from(logit), has.contains(&(class as u32)));
            loss += x.max(0.0) - if is_there { x } else { 0.0 } + (-x.abs()).exp().ln_1p();
            right += usize::from((x > 0.0) == is_there);
        }
        Self { loss: loss / logits.len() as f64, right }
    }
}

/// The mean of the precision over the images that have a class, each with those that are as likely as it or more. None where no image has
/// it. Equivalent of `sklearn.metrics.average_precision_score`.
///
/// ```
/// # use train::multi_label::average_precision;
/// let said = [(0.1, false), (0.4, false), (0.35, true), (0.8, true)]; // how likely, and whether it has it
/// assert!((average_precision(&said).unwrap() - 0.8333).abs() < 1e-4);
/// ```
pub fn average_precision(said: &[(f64, bool)]) -> Option<f64> {
    let mut said = said.to_vec();
    said.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut named, mut right, mut sum) = (0, 0, 0.0);
    for alike in said.chunk_by(|a, b| a.0 == b.0) {
        let found = alike.iter().filter(|(_, is_there)| *is_there).count();
        (named, right) = (named + alike.len(), right + found);
        sum += found as f64 * right as f64 / named as f64;
    }
    (right > 0).then(|| sum / right as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `torch.nn.functional.binary_cross_entropy_with_logits(x, t)` in float64, and its limits.
    #[test]
    fn the_loss_is_that_of_pytorch() {
        let loss = |logits: &[f32], has: &[u32]| Judged::of(logits, has).loss;
        let (x, want) =
            ([0.5, -1.25, 2.0, 0.25], (0.474_076_984_18 + 0.251_929_081_34 + 2.126_928_011_04 + 0.575_939_419_88) / 4.0);
        assert!((loss(&x, &[0, 3]) - want).abs() < 1e-9, "{}", loss(&x, &[0, 3]));
        assert_eq!((loss(&[1000.0, -1000.0], &[0]), loss(&[1000.0], &[])), (0.0, 1000.0));
        assert!(loss(&[f32::NAN], &[0]).is_nan());
    }

    #[test]
    fn a_class_is_there_above_a_half() {
        assert_eq!(Judged::of(&[0.0, 1e-3, -1e-3], &[0, 1]).right, 2, "of the first it is not sure");
        assert!((probability(0.0), probability(f32::MAX), probability(f32::MIN)) == (0.5, 1.0, 0.0));
    }

    /// `sklearn.metrics.average_precision_score(y_true, y_score)`.
    #[test]
    fn the_average_precision_is_that_of_scikit_learn() {
        let of = |likely: &[f64], there: &[u8]| {
            average_precision(&likely.iter().zip(there).map(|(p, t)| (*p, *t == 1)).collect::<Vec<_>>())
        };
        assert_eq!(of(&[0.9, 0.8, 0.1], &[1, 1, 0]), Some(1.0));
        assert_eq!(of(&[0.9, 0.8, 0.1], &[0, 0, 1]), Some(1.0 / 3.0));
        // Three that are alike count as one: in whatever order they come.
        assert_eq!(of(&[0.5, 0.5, 0.5, 0.2], &[1, 0, 0, 1]), of(&[0.2, 0.5, 0.5, 0.5], &[1, 0, 1, 0]));
        assert_eq!(of(&[0.5, 0.5, 0.5, 0.2], &[1, 0, 0, 1]), Some((1.0 / 3.0 + 0.5) / 2.0));
        assert_eq!((of(&[0.5], &[0]), of(&[], &[])), (None, None));
    }
}
