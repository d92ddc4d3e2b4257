//! Runs as a page to look at.

pub(crate) mod frame;
mod runs;
mod tested;
#[cfg(test)]
mod tests;

pub use frame::expect_replaceable;

use crate::error::Result;
use frame::Frame;
use runs::Run;
use std::path::{Path, PathBuf};

const BODY: &str = include_str!("page.html");
const SCRIPT: &str = concat!(include_str!("pictures.js"), include_str!("layers.js"), include_str!("page.js"));

/// Writes the page of one run, or of several laid over one another, from their folders' `config.toml`,
/// `metrics.jsonl` and `test.csv`. The page of one has what was found in the network too, from its `inspection.json`.
///
/// # Errors
/// If a folder is not that of a run, or the page cannot be written, since there is another file of that name, say; an older page is then
/// as it was.
pub fn write(folders: &[PathBuf], to: &Path) -> Result<()> {
    let read = |folder: &PathBuf| match folders.len() {
        1 => Run::read(folder)?.with_inspection(folder),
        _ => Run::read(folder),
    };
    let runs = folders.iter().map(read).collect::<Result<Vec<_>>>()?;
    let title = match &runs[..] {
        [run] => run.name.clone(),
        several => format!("{} runs", several.len()),
    };
    Frame { title: &title, body: BODY, script: SCRIPT, data: &runs }.write(to)
}
