//! Golden files: results from outside this project, which every device must reproduce.
//!
//! A file is safetensors. With the note `cases` it holds operators one by one; with the note `model`, steps of a whole training.
//! A case passes when for every result `max|got - want| <= atol + rtol * max|want|`.

mod attributes;
mod call;
mod file;
mod network;
mod operators;
mod optimizers;
mod schedules;
mod tolerance;

use crate::Row;
use crate::error::{Error, Result};
use call::Call;
use file::{Case, GoldenFile};
use gpu_core::Device;
use std::path::{Path, PathBuf};
use tolerance::Tolerance;

/// What the cases of some files came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// One row a case.
    pub rows: Vec<Row>,
    /// The cases whose operator is not known.
    pub unknown: Vec<String>,
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
                    match run_case(&file, case, device)? {
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

/// Runs a case of a file; none if its operator is not known.
fn run_case(file: &GoldenFile, case: &Case, device: &Device) -> Result<Option<Row>> {
    let call = Call { file, case, device };
    let computed = match operators::run(&call)? {
        Some(computed) => Some(computed),
        None => optimizers::run(&call)?,
    };
    let tolerance = Tolerance { rtol: case.rtol, atol: case.atol };
    computed.map(|computed| tolerance.worst(&case.name, &computed, |name| call.want(name))).transpose()
}

fn files(path: &Path) -> Result<Vec<PathBuf>> {
    // What is no folder is told by who reads it.
    if !path.is_dir() {
        return Ok(vec![path.into()]);
    }
    let entries = std::fs::read_dir(path).map_err(Error::reading(path))?;
    let mut files: Vec<PathBuf> =
        entries.filter_map(|e| Some(e.ok()?.path())).filter(|p| p.extension().is_some_and(|e| e == "safetensors")).collect();
    files.sort();
    match files.is_empty() {
        true => Err(Error::content(path, "there is no golden file (*.safetensors) here")),
        false => Ok(files),
    }
}
