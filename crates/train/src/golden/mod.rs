//! Golden files: results from outside this project, which every device must reproduce.
//!
//! A file is safetensors. With the note `cases` it holds operators one by one; with the note `model`, steps of a whole training.
//! A case passes when for every result `max|got - want| <= atol + rtol * max|want|`.

mod file;
mod network;
mod operators;
mod optimizers;
mod schedules;

use crate::error::{Error, Result};
use file::GoldenFile;
use gpu_core::Device;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// One comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The case, kernel or layer.
    pub name: String,
    /// What of it was compared.
    pub what: String,
    /// The largest difference found; infinite if a result is not a number.
    #[serde(serialize_with = "finite")]
    pub error: f64,
    /// The largest allowed.
    pub bound: f64,
    /// Whether it is.
    pub ok: bool,
}

/// JSON has no infinity.
fn finite<S: serde::Serializer>(value: &f64, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_f64(value.min(f64::MAX))
}

impl Row {
    /// A comparison; ok if the error is within the bound.
    pub fn new(name: impl Into<String>, what: impl Into<String>, error: f64, bound: f64) -> Self {
        Self { name: name.into(), what: what.into(), error, bound, ok: error <= bound }
    }

    /// Something that failed without a number to tell.
    pub fn failed(name: impl Into<String>, what: impl Into<String>) -> Self {
        Self { ok: false, ..Self::new(name, what, f64::INFINITY, 0.0) }
    }
}

/// What the cases of some files came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// One row a case.
    pub rows: Vec<Row>,
    /// The cases whose operator is not known.
    pub unknown: Vec<String>,
}

/// A result that was computed, under the name that it has in the file.
struct Computed {
    name: String,
    values: Vec<f32>,
}

/// The rule of the files.
#[derive(Debug, Clone, Copy)]
struct Tolerance {
    rtol: f64,
    atol: f64,
}

impl Tolerance {
    /// The result of a case that is nearest to its bound, or furthest over it.
    fn worst(self, case: &str, results: &[Computed], want: impl Fn(&str) -> Result<Vec<f32>>) -> Result<Row> {
        let mut worst: Option<Row> = None;
        for result in results {
            let want = want(&result.name)?;
            let row = if want.len() == result.values.len() {
                let largest = want.iter().fold(0f64, |m, v| m.max(f64::from(v.abs())));
                let error = want.iter().zip(&result.values).fold(0f64, |m, (w, g)| {
                    let d = (f64::from(*w) - f64::from(*g)).abs();
                    if d.is_nan() { f64::INFINITY } else { m.max(d) }
                });
                Row::new(case, &result.name, error, self.atol + self.rtol * largest)
            } else {
                let sizes = format!("{}: {} values, {} are wanted", result.name, result.values.len(), want.len());
                Row::failed(case, sizes)
            };
            let excess = |r: &Row| if r.bound > 0.0 { r.error / r.bound } else { r.error };
            if worst.as_ref().is_none_or(|w| excess(&row) > excess(w) || (!row.ok && w.ok)) {
                worst = Some(row);
            }
        }
        Ok(worst.unwrap_or_else(|| Row::failed(case, "no results")))
    }
}

/// Runs a golden file, or all of a folder, on `device`; only the cases whose name contains `filter`.
///
/// # Errors
/// If a file cannot be read or is not a golden file, or a fault of the device.
pub fn run(path: &Path, device: &Device, filter: &str) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for path in files(path)? {
        let file = GoldenFile::read(&path)?;
        match file.cases()? {
            Some(cases) => {
                for case in cases.iter().filter(|c| c.name.contains(filter) || c.op.contains(filter)) {
                    match operators::run(&file, case, device)? {
                        Some(row) => outcome.rows.push(row),
                        None => outcome.unknown.push(format!("{} ({})", case.name, case.op)),
                    }
                }
            }
            None => {
                let name = path.file_stem().and_then(|s| s.to_str()).unwrap_or("golden").to_owned();
                if name.contains(filter) {
                    match network::run(&file, &name, device)? {
                        Some(rows) => outcome.rows.extend(rows),
                        None => outcome.unknown.push(name),
                    }
                }
            }
        }
    }
    Ok(outcome)
}

fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.into()]);
    }
    let entries = std::fs::read_dir(path).map_err(Error::file("reading", path))?;
    let mut files: Vec<PathBuf> =
        entries.filter_map(|e| Some(e.ok()?.path())).filter(|p| p.extension().is_some_and(|e| e == "safetensors")).collect();
    files.sort();
    match files.is_empty() {
        true => Err(Error::content(path, "there is no golden file (*.safetensors) here")),
        false => Ok(files),
    }
}
