//! Test images that were taken for something else, and how an image is shown.

use super::png::{encoded, picture};
use crate::data::ImageSet;
use crate::error::Result;
use crate::per_image::{ImageRow, LabelTable};
use serde::{Deserialize, Serialize};

/// Mistakes that are shown.
const WORST: usize = 16;

/// A test image and what was said of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// Its number in the set.
    pub image: usize,
    /// The file that it is from, below the folder of the set, where it has one of its own.
    pub file: Option<String>,
    /// Its class; where it may have several labels, all that it has.
    pub class: String,
    /// The likeliest class; where there may be several labels, all that were told of it.
    pub said: String,
    /// How likely the likeliest class or label is, 0 to 1.
    pub probability: f64,
    /// The cross-entropy; of several labels the mean.
    pub loss: f64,
    /// The image, at most 96 pixels wide and high: PNG in base64.
    pub png: String,
}

impl Shown {
    pub(super) fn of(row: &Row, set: &ImageSet) -> Result<Self> {
        let file = set.file(row.image).map(|file| file.display().to_string());
        let (class, said) = (row.class.clone(), row.said.clone());
        let png = encoded(&picture(set, row.image)?);
        Ok(Self { image: row.image, file, class, said, probability: row.probability, loss: row.loss, png })
    }
}

/// What was said of a test image, which has one label or may have several.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub image: usize,
    /// Its class, or its set of labels: images of one number are alike.
    pub label: u32,
    pub class: String,
    pub said: String,
    pub is_right: bool,
    /// The likeliest class or label.
    pub likeliest: u32,
    /// Its name, where it is not all that was said.
    pub name: Option<String>,
    /// Its class where that was not seen; not of several labels, some of which may have been.
    pub missed: Option<u32>,
    pub probability: f64,
    pub loss: f64,
}

impl Row {
    /// Of an image with one label.
    pub fn of_class(row: ImageRow) -> Self {
        let ImageRow { image, label, class, predicted_label, predicted_class, probability, loss } = row;
        let (label, likeliest) = (label as u32, predicted_label as u32);
        let is_right = label == likeliest;
        let missed = (!is_right).then_some(label);
        Self { image, label, class, said: predicted_class, is_right, likeliest, name: None, missed, probability, loss }
    }

    /// The rows of images that may have several; `labels` are the numbers of their sets.
    pub fn of_labels(table: &LabelTable, labels: &[u32]) -> Vec<Self> {
        let images = table.rows.iter().zip(&table.losses).zip(labels).enumerate();
        let of = |(image, ((row, &loss), &label)): (usize, ((&Vec<(f64, bool)>, &f64), &u32))| {
            let named = |fits: &dyn Fn(&(f64, bool)) -> bool| {
                let names = row.iter().zip(&table.classes).filter(|(one, _)| fits(one)).map(|(_, name)| &**name);
                Some(names.collect::<Vec<_>>().join(", ")).filter(|names| !names.is_empty())
            };
            // The first of several.
            let likeliest = (0..row.len()).rev().max_by(|&a, &b| row[a].0.total_cmp(&row[b].0)).expect("there is a class");
            Self {
                image,
                label,
                class: named(&|one| one.1).unwrap_or_default(),
                said: named(&|one| one.0 > 0.5).unwrap_or_else(|| "nothing".to_owned()),
                is_right: row.iter().all(|one| (one.0 > 0.5) == one.1),
                likeliest: likeliest as u32,
                name: Some(table.classes[likeliest].clone()),
                missed: None,
                probability: row[likeliest].0,
                loss,
            }
        };
        images.map(of).collect()
    }
}

/// The rows of mistakes, the largest loss first.
pub(super) fn by_loss(rows: &[Row]) -> Vec<&Row> {
    let mut wrong: Vec<&Row> = rows.iter().filter(|row| !row.is_right).collect();
    wrong.sort_by(|a, b| b.loss.total_cmp(&a.loss).then(a.image.cmp(&b.image)));
    wrong
}

pub(super) fn worst(rows: &[Row], set: &ImageSet) -> Result<Vec<Shown>> {
    by_loss(rows).into_iter().take(WORST).map(|row| Shown::of(row, set)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_labels_one_that_is_told_wrongly_makes_a_mistake() {
        let rows = [
            vec![(0.9, true), (0.6, true), (0.1, false)],
            vec![(0.2, false), (0.4, false), (0.4, true)],
            vec![(0.7, false), (0.3, false), (0.8, true)],
        ];
        let classes = ["a", "b", "c"].map(str::to_owned).to_vec();
        let table = LabelTable { classes, rows: rows.to_vec(), losses: vec![0.2, 0.9, 1.5] };
        let rows = Row::of_labels(&table, &[4, 0, 0]);
        let told = |row: &Row| (row.class.clone(), row.said.clone(), row.is_right, row.name.clone().unwrap(), row.probability);
        let row =
            |class: &str, said: &str, is_right, name: &str, likely| (class.into(), said.into(), is_right, name.into(), likely);
        let want = [row("a, b", "a, b", true, "a", 0.9), row("c", "nothing", false, "b", 0.4), row("c", "a, c", false, "c", 0.8)];
        assert_eq!(rows.iter().map(told).collect::<Vec<_>>(), want);
        assert_eq!(by_loss(&rows).iter().map(|row| (row.image, row.label)).collect::<Vec<_>>(), [(2, 0), (1, 0)]);
    }
}
