//! The table of a set whose images may have several labels.

use super::table;
use crate::data::LabelSets;
use crate::error::{Error, Result};
use crate::evaluate::Evaluator;
use crate::multi_label::{Judged, probability};
use std::path::Path;

/// The columns before those of the classes.
const HEADS: [&str; 5] = ["image", "labels", "predicted_labels", "right", "loss"];

/// What stands between labels.
const BETWEEN: &str = "|";

/// Such a table, read.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelTable {
    /// The names of the classes.
    pub classes: Vec<String>,
    /// Of each image a pair for each class: how likely it was held that the image has it, and whether it has.
    pub rows: Vec<Vec<(f64, bool)>>,
    /// The loss of each image.
    pub losses: Vec<f64>,
}

pub(super) fn write(path: &Path, evaluator: &mut Evaluator, classes: &[String], sets: &LabelSets, labels: &[u32]) -> Result<()> {
    let mut written = csv::Writer::from_writer(Vec::new());
    let mut wrong = None;
    let probabilities = classes.iter().map(|class| format!("p({class})"));
    written.write_record(HEADS.map(str::to_owned).into_iter().chain(probabilities)).expect("a list takes all bytes");
    evaluator.outputs(&mut |image, logits| {
        wrong = wrong.or(logits.iter().copied().find(|x| !x.is_finite()));
        let (has, judged) = (sets.of(labels[image]), Judged::of(logits, sets.of(labels[image])));
        let named = |fits: &dyn Fn(usize) -> bool| {
            let fitting = classes.iter().enumerate().filter(|(class, _)| fits(*class));
            fitting.map(|(_, name)| &**name).collect::<Vec<&str>>().join(BETWEEN)
        };
        let first = [
            image.to_string(),
            named(&|class| has.contains(&(class as u32))),
            named(&|class| logits[class] > 0.0),
            judged.right.to_string(),
            format!("{:.6}", judged.loss),
        ];
        let likely = logits.iter().map(|&logit| format!("{:.6}", probability(logit)));
        written.write_record(first.into_iter().chain(likely)).expect("a list takes all bytes");
    })?;
    match wrong {
        Some(value) => Err(Error::OutputNotFinite(value)),
        None => table::write(path, written),
    }
}

/// The table in these bytes; none if they are no such table.
pub(super) fn read(bytes: &[u8]) -> std::result::Result<Option<LabelTable>, csv::Error> {
    let mut reader = csv::Reader::from_reader(bytes);
    let heads = reader.headers()?;
    if !heads.iter().take(HEADS.len()).eq(HEADS) {
        return Ok(None);
    }
    let name = |head: &str| head.strip_prefix("p(").and_then(|head| head.strip_suffix(')')).unwrap_or(head).to_owned();
    let classes: Vec<String> = heads.iter().skip(HEADS.len()).map(name).collect();
    let (mut rows, mut losses) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record?;
        let has: Vec<&str> = record[1].split(BETWEEN).collect();
        let number = |cell: &str| cell.parse().unwrap_or(f64::NAN);
        let likely = record.iter().skip(HEADS.len()).map(number);
        losses.push(number(&record[4]));
        rows.push(likely.zip(&classes).map(|(likely, class)| (likely, has.contains(&&**class))).collect());
    }
    Ok(Some(LabelTable { classes, rows, losses }))
}
