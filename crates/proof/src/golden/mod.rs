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
#[cfg(test)]
mod tests;
mod tolerance;

use crate::Row;
use crate::error::{Error, Result};
use crate::panics::told;
use call::Call;
use file::{Case, GoldenFile};
use gpu_core::{Device, within_memory};
use serde_json::Value;
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

/// Runs a golden file, or all of a folder, on `device`; only the cases whose name contains `filter`. A case that cannot be run, by
/// whatever is wrong with it, is a row that failed.
///
/// # Errors
/// If a file cannot be read or is not a golden file, or a fault of the device.
pub fn run(path: &Path, device: &Device, filter: &str) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for path in files(path)? {
        let file = GoldenFile::read(&path)?;
        match file.cases()? {
            Some(cases) => {
                for (i, case) in cases.into_iter().enumerate() {
                    outcome.case(&file, i, case, device, filter)?;
                }
            }
            None => {
                let name = path.file_stem().and_then(|s| s.to_str()).unwrap_or("golden").to_owned();
                if name.contains(filter) {
                    match told_by_a_row(&name, || network::run(&file, &name, device))? {
                        Ok(Some(rows)) => outcome.rows.extend(rows),
                        Ok(None) => outcome.unknown.push(name),
                        Err(row) => outcome.rows.push(row),
                    }
                }
            }
        }
    }
    Ok(outcome)
}

impl Outcome {
    /// Runs the case that stands at `i` of a file's list, if the filter wants it.
    fn case(&mut self, file: &GoldenFile, i: usize, case: Value, device: &Device, filter: &str) -> Result<()> {
        let name = case["name"].as_str().map_or_else(|| format!("case {i}"), str::to_owned);
        let case = match serde_json::from_value::<Case>(case) {
            Ok(case) if case.name.contains(filter) || case.op.contains(filter) => case,
            Err(error) if name.contains(filter) => {
                self.rows.push(Row::failed(name, format!("this is no case: {error}")));
                return Ok(());
            }
            _ => return Ok(()),
        };
        match told_by_a_row(&name, || run_case(file, &case, device))? {
            Ok(Some(row)) | Err(row) => self.rows.push(row),
            Ok(None) => self.unknown.push(format!("{} ({})", case.name, case.op)),
        }
        Ok(())
    }
}

/// What `f` comes to; a row that failed where the file asks for what cannot be: tensors that are missing or of a wrong shape, settings out of
/// range, more memory than there is. The operators' own words say what.
///
/// # Errors
/// A fault of the device, which the next case would meet too.
fn told_by_a_row<R>(name: &str, f: impl FnOnce() -> Result<R>) -> Result<std::result::Result<R, Row>> {
    let what = match told(|| within_memory(f)) {
        Ok(Ok(Ok(result))) => return Ok(Ok(result)),
        Ok(Ok(Err(Error::Device(fault)))) => return Err(fault.into()),
        Ok(Ok(Err(error))) => error.to_string(),
        Ok(Err(shortage)) => shortage.to_string(),
        Err(panic) => panic.message,
    };
    Ok(Err(Row::failed(name, what)))
}

/// Runs a case of a file; none if its operator is not known.
fn run_case(file: &GoldenFile, case: &Case, device: &Device) -> Result<Option<Row>> {
    if case.outputs.is_empty() || ![case.rtol, case.atol].iter().all(|t| (0.0..=1.0).contains(t)) {
        let what = format!(
            "{} outputs, rtol {}, atol {}: one output, and tolerances from 0 to 1, are wanted",
            case.outputs.len(),
            case.rtol,
            case.atol
        );
        return Ok(Some(Row::failed(&case.name, what)));
    }
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
