//! What the network said of the test images.

use crate::error::Result;
use crate::multi_label::average_precision;
use crate::per_image::{ImageRow, LabelTable, Table, read_table};
use crate::segmentation::{ClassRow, colour};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Parts of the probabilities from 0 to 1.
const BINS: usize = 10;
/// Mistakes that are shown: the ones that the network was surest of.
const WORST: usize = 24;

/// What was said of the test images of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum Tested {
    /// Images with one label each.
    Classes(Box<ByClass>),
    /// Images that may have several.
    Labels {
        /// A row for each class.
        by_label: Vec<ByLabel>,
    },
    /// Images of whose pixels each has a class.
    Pixels {
        /// A row for each class.
        by_pixel: Vec<ByPixel>,
    },
}

/// How the pixels of a class were told, and its colour where masks are shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct ByPixel {
    #[serde(flatten)]
    row: ClassRow,
    colour: String,
}

/// How a class was told where images may have several: of so many images that have it, said of an image above a probability of 0.5.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct ByLabel {
    name: String,
    images: usize,
    precision: Option<f64>,
    recall: Option<f64>,
    f1: Option<f64>,
    average_precision: Option<f64>,
}

/// The test images of a run, by class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct ByClass {
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
        Ok(Some(match read_table(path)? {
            Table::Classes(rows) => Self::Classes(Box::new(ByClass::of(&rows))),
            Table::Labels(table) => Self::Labels { by_label: by_label(&table) },
            Table::Pixels(rows) => Self::Pixels { by_pixel: rows.into_iter().enumerate().map(by_pixel).collect() },
        }))
    }
}

fn by_pixel((class, row): (usize, ClassRow)) -> ByPixel {
    let [r, g, b] = colour(class as u8);
    ByPixel { row, colour: format!("#{r:02x}{g:02x}{b:02x}") }
}

fn by_label(LabelTable { classes, rows, .. }: &LabelTable) -> Vec<ByLabel> {
    let of_class = |(class, name): (usize, &String)| {
        let said: Vec<(f64, bool)> = rows.iter().map(|row| row[class]).collect();
        let count = |fits: &dyn Fn(bool, bool) -> bool| said.iter().filter(|(p, is_there)| fits(*p > 0.5, *is_there)).count();
        let (images, named, right) = (count(&|_, there| there), count(&|said, _| said), count(&|said, there| said && there));
        let share = |part: usize, all: usize| (all > 0).then(|| part as f64 / all as f64);
        ByLabel {
            name: name.clone(),
            images,
            precision: share(right, named),
            recall: share(right, images),
            f1: share(2 * right, images + named),
            average_precision: average_precision(&said),
        }
    };
    classes.iter().enumerate().map(of_class).collect()
}

impl ByClass {
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
        let found = ByClass::of(&rows);
        assert_eq!(found.classes, ["c0", "1", "2", "c3"]);
        assert_eq!(found.said, [(0, 0, 1), (0, 3, 1), (3, 0, 1), (3, 3, 1)]);
        assert_eq!((found.calibration[3].0, found.calibration[3].1), (2, 0));
        assert_eq!(found.calibration[9], (2, 2, 1.95));
        assert_eq!(found.worst.iter().map(|mistake| mistake.image).collect::<Vec<_>>(), [3, 1]);
        assert_eq!(ByClass::of(&[]).classes.len(), 0);
    }

    #[test]
    fn labels_are_counted_by_class() {
        let rows =
            [[(0.9, true), (0.5, true)], [(0.8, false), (0.2, false)], [(0.7, true), (0.1, false)], [(0.1, true), (0.4, false)]];
        let table = LabelTable { classes: vec!["a".into(), "b".into()], rows: rows.map(Vec::from).to_vec(), losses: vec![0.0; 4] };
        let row = |name: &str, images, [precision, recall, f1, average_precision]: [Option<f64>; 4]| ByLabel {
            name: name.into(),
            images,
            precision,
            recall,
            f1,
            average_precision,
        };
        let third = 2.0 / 3.0;
        let of_a = row("a", 3, [third, third, third, (1.0 + third + 0.75) / 3.0].map(Some));
        // Half is not above a half, and yet the likeliest of all.
        let of_b = row("b", 1, [None, Some(0.0), Some(0.0), Some(1.0)]);
        assert_eq!(by_label(&table), [of_a, of_b]);
    }
}
