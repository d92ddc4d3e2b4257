//! The run that is meant where none is named, and the checkpoint of a run that is meant.

use super::{BEST, LAST};
use crate::error::{Error, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The best checkpoint of a run's folder, or its last where there is no best; a file is one itself.
///
/// # Errors
/// If a folder has neither.
pub fn checkpoint_of(path: &Path) -> Result<PathBuf> {
    if !path.is_dir() {
        return Ok(path.into());
    }
    let found = [BEST, LAST].map(|name| path.join(name)).into_iter().find(|file| file.is_file());
    found.ok_or_else(|| Error::content(path, "this folder holds no checkpoint; name a run's folder"))
}

/// The run below `runs` that was written last.
///
/// # Errors
/// If there is none.
pub fn newest_run(runs: &Path) -> Result<PathBuf> {
    let written = |path: &PathBuf| -> Option<SystemTime> { path.join(LAST).metadata().ok()?.modified().ok() };
    let found = fs::read_dir(runs).ok().and_then(|entries| {
        // What begins with a full stop is a run's folder that is still being made.
        let named = entries.filter_map(|e| e.ok()).filter(|e| !e.file_name().to_string_lossy().starts_with('.'));
        let runs = named.map(|e| e.path()).filter_map(|p| Some((written(&p)?, p)));
        runs.max().map(|(_, path)| path)
    });
    found.ok_or_else(|| {
        let runs = runs.display();
        Error::Setting(format!("there is no run in {runs}/; name one with --checkpoint, or train first (wgrad train)"))
    })
}
