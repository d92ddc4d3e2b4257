//! Test images that were taken for something else, and how an image is shown.

use super::png::{encoded, picture};
use crate::data::ImageSet;
use crate::error::Result;
use crate::per_image::ImageRow;
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
    /// Its class.
    pub class: String,
    /// The likeliest class.
    pub said: String,
    /// How likely that is, 0 to 1.
    pub probability: f64,
    /// The cross-entropy.
    pub loss: f64,
    /// The image, at most 96 pixels wide and high: PNG in base64.
    pub png: String,
}

impl Shown {
    pub(super) fn of(row: &ImageRow, set: &ImageSet) -> Result<Self> {
        let file = set.file(row.image).map(|file| file.display().to_string());
        let (class, said) = (row.class.clone(), row.predicted_class.clone());
        let png = encoded(&picture(set, row.image)?);
        Ok(Self { image: row.image, file, class, said, probability: row.probability, loss: row.loss, png })
    }
}

/// The rows of mistakes, the largest loss first.
pub(super) fn by_loss(rows: &[ImageRow]) -> Vec<&ImageRow> {
    let mut wrong: Vec<&ImageRow> = rows.iter().filter(|row| row.label != row.predicted_label).collect();
    wrong.sort_by(|a, b| b.loss.total_cmp(&a.loss).then(a.image.cmp(&b.image)));
    wrong
}

pub(super) fn worst(rows: &[ImageRow], set: &ImageSet) -> Result<Vec<Shown>> {
    by_loss(rows).into_iter().take(WORST).map(|row| Shown::of(row, set)).collect()
}
