//! What the network said of the test images.

use crate::error::Result;
use crate::per_image::{ImageRow, read_per_image};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Parts of the probabilities from 0 to 1.
const BINS: usize = 10;
/// Mistakes that are shown: the ones that the network was surest of.
const WORST: usize = 24;

/// The test images of a run, by class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Tested {
    /// Names by label; those that no image has and none was taken for are numbers.
    classes: Vec<String>,
    /// Label, label that was said, and how often; what never happened is left out.
    said: Vec<(usize, usize, u64)>,
    /// Of each part of the probabilities: images, right ones, and the sum of the probabilities.
    calibration: [(u64, u64, f64); BINS],
    /// The largest losses among the mistakes.
    worst: Vec<Mistake>,
}

/// A mistake.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Mistake {
    image: usize,
    label: usize,
    said: usize,
    probability: f64,
    loss: f64,
}

impl Tested {
    /// From a table of images; none if there is no such file.
    ///
    /// # Errors
    /// If it is none.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        if !path.is_file() {
            return Ok(None);
        }
        Ok(Some(Self::of(&read_per_image(path)?)))
    }

    fn of(rows: &[ImageRow]) -> Self {
        let (mut names, mut said) = (BTreeMap::new(), BTreeMap::new());
        let mut calibration = [(0, 0, 0.0); BINS];
        let mut worst = Vec::new();
        for row in rows {
            names.insert(row.label, row.class.clone());
            names.insert(row.predicted_label, row.predicted_class.clone());
            *said.entry((row.label, row.predicted_label)).or_default() += 1;
            let is_right = row.label == row.predicted_label;
            let (images, right, sum) = &mut calibration[((row.probability * BINS as f64) as usize).min(BINS - 1)];
            (*images, *right, *sum) = (*images + 1, *right + u64::from(is_right), *sum + row.probability);
            if !is_right {
                let &ImageRow { image, label, predicted_label: said, probability, loss, .. } = row;
                worst.push(Mistake { image, label, said, probability, loss });
            }
        }
        worst.sort_by(|a, b| b.loss.total_cmp(&a.loss).then(a.image.cmp(&b.image)));
        worst.truncate(WORST);
        let count = names.last_key_value().map_or(0, |(label, _)| label + 1);
        let classes = (0..count).map(|label| names.remove(&label).unwrap_or_else(|| label.to_string())).collect();
        Self { classes, said: said.into_iter().map(|((label, said), count)| (label, said, count)).collect(), calibration, worst }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_counted_by_class_and_by_how_sure_the_network_was() {
        let row = |image, label: usize, said: usize, probability, loss| ImageRow {
            image,
            label,
            class: format!("c{label}"),
            predicted_label: said,
            predicted_class: format!("c{said}"),
            probability,
            loss,
        };
        let rows = [row(0, 0, 0, 0.95, 0.05), row(1, 0, 3, 0.35, 1.5), row(2, 3, 3, 1.0, 0.0), row(3, 3, 0, 0.31, 2.5)];
        let found = Tested::of(&rows);
        assert_eq!(found.classes, ["c0", "1", "2", "c3"]);
        assert_eq!(found.said, [(0, 0, 1), (0, 3, 1), (3, 0, 1), (3, 3, 1)]);
        assert_eq!((found.calibration[3].0, found.calibration[3].1), (2, 0));
        assert_eq!(found.calibration[9], (2, 2, 1.95));
        assert_eq!(found.worst.iter().map(|mistake| mistake.image).collect::<Vec<_>>(), [3, 1]);
        assert_eq!(Tested::of(&[]).classes.len(), 0);
    }
}
