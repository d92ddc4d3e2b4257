//! What a network says of each image of a set, as a table.

mod labels;
mod table;

pub use labels::LabelTable;

use crate::data::ImageSet;
use crate::error::{Error, Result};
use crate::evaluate::Evaluator;
use crate::file;
use crate::model::Description;
use crate::segmentation::{ClassRow, read_by_class};
use nn::checkpoint::read_plain;
use serde::Deserialize;
use std::path::Path;

/// The columns.
const HEADS: [&str; 8] = ["image", "label", "class", "predicted_label", "predicted_class", "probability", "loss", "correct"];

/// Writes a row for each image of `set` that `evaluator` measures to a CSV file: its number, its class, the likeliest one and how likely that
/// is, and the cross-entropy. Where an image may have several labels: those that it has, those that are likelier than not, of how many
/// classes that is right, the loss, and how likely each class is.
///
/// # Errors
/// If the network tells no classes, gives what is no number, a fault of the device, or of the file system; the old file is as it was then.
pub fn write_per_image(path: &Path, evaluator: &mut Evaluator, description: &Description, set: &ImageSet) -> Result<()> {
    expect_classes(description)?;
    if let Some(sets) = set.label_sets() {
        return labels::write(path, evaluator, &description.classes, sets, set.labels());
    }
    let mut written = csv::Writer::from_writer(Vec::new());
    let classes = &description.classes;
    let mut wrong = None;
    written.write_record(HEADS).expect("a list takes all bytes");
    evaluator.outputs(&mut |image, logits| {
        let label = set.labels()[image] as usize;
        let Some(said) = Said::of(logits) else {
            wrong = wrong.or(logits.iter().copied().find(|x| !x.is_finite()));
            return;
        };
        let row = [
            image.to_string(),
            label.to_string(),
            classes[label].clone(),
            said.best.to_string(),
            classes[said.best].clone(),
            format!("{:.6}", (-said.loss(said.best)).exp()),
            format!("{:.6}", said.loss(label)),
            u8::from(said.best == label).to_string(),
        ];
        written.write_record(row).expect("a list takes all bytes");
    })?;
    match wrong {
        Some(value) => Err(Error::OutputNotFinite(value)),
        None => table::write(path, written),
    }
}

/// A row of such a table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ImageRow {
    /// The image's number, in the order of its set.
    pub image: usize,
    /// Its class.
    pub label: usize,
    /// Its class's name.
    pub class: String,
    /// The likeliest class.
    pub predicted_label: usize,
    /// That class's name.
    pub predicted_class: String,
    /// How likely that is, 0 to 1.
    pub probability: f64,
    /// The cross-entropy.
    pub loss: f64,
}

/// What [`write_per_image`] wrote.
#[derive(Debug, Clone, PartialEq)]
pub enum Table {
    /// Of images with one label each.
    Classes(Vec<ImageRow>),
    /// Of images that may have several.
    Labels(LabelTable),
    /// Of pixels that have classes: a row each class, as [`write_by_class`](crate::segmentation::write_by_class) wrote it.
    Pixels(Vec<ClassRow>),
}

/// Reads what [`write_per_image`] wrote.
///
/// # Errors
/// If the file cannot be read, or is no such table.
pub fn read_table(path: &Path) -> Result<Table> {
    let bytes = read_plain(path, file::DATA).map_err(Error::file("reading", path))?;
    let wrong = |e: csv::Error| Error::content(path, format!("this is not a table of eval --per-image: {e}"));
    if let Some(rows) = read_by_class(&bytes).map_err(wrong)? {
        return Ok(Table::Pixels(rows));
    }
    match labels::read(&bytes).map_err(wrong)? {
        Some(table) => Ok(Table::Labels(table)),
        None => csv::Reader::from_reader(&*bytes)
            .deserialize()
            .collect::<std::result::Result<_, _>>()
            .map(Table::Classes)
            .map_err(wrong),
    }
}

/// Reads the table of images with one label each that [`write_per_image`] wrote.
///
/// # Errors
/// If the file cannot be read, or is no such table.
pub fn read_per_image(path: &Path) -> Result<Vec<ImageRow>> {
    match read_table(path)? {
        Table::Classes(rows) => Ok(rows),
        Table::Labels(_) => Err(Error::content(path, "this table is of images that may have several labels")),
        Table::Pixels(_) => Err(Error::content(path, "this table is of classes of pixels")),
    }
}

/// Refuses a network of whose images there is nothing to say.
///
/// # Errors
/// If it tells no classes.
pub fn expect_classes(description: &Description) -> Result<()> {
    match description.has_accuracy() {
        true => Ok(()),
        false if description.tells_pixels() => {
            Error::setting(format!("the model \"{}\" tells classes of pixels, not of images", description.model))
        }
        false => Error::setting(format!("the model \"{}\" tells no classes: there is no row for an image", description.model)),
    }
}

/// What logits say, in f64.
struct Said<'a> {
    logits: &'a [f32],
    /// The class of the largest; the first of several.
    best: usize,
    /// `ln(sum of exp(logits))`.
    log_of_sum: f64,
}

impl<'a> Said<'a> {
    /// Nothing, if one is infinite or no number.
    fn of(logits: &'a [f32]) -> Option<Self> {
        let best = (0..logits.len()).rev().max_by(|&a, &b| logits[a].total_cmp(&logits[b]))?;
        let largest = f64::from(logits[best]);
        let sum: f64 = logits.iter().map(|&x| (f64::from(x) - largest).exp()).sum();
        logits.iter().all(|x| x.is_finite()).then_some(Self { logits, best, log_of_sum: largest + sum.ln() })
    }

    /// The cross-entropy, if this were the class.
    fn loss(&self, label: usize) -> f64 {
        self.log_of_sum - f64::from(self.logits[label])
    }
}
