//! Folders of runs that have not begun: a folder is filled under a temporary name, and renamed.

use super::lock::Lock;
use crate::error::{Error, Result};
use std::fs;
use std::io;
use std::path::Path;
use tempfile::{Builder, TempDir};

const PREFIX: &str = ".run-";
const SUFFIX: &str = ".tmp";

/// A new folder, which is removed unless it is published.
pub(super) fn new(out: &Path) -> Result<TempDir> {
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    builder.tempdir_in(out).map_err(Error::file("making a folder in", out))
}

/// Gives it its name; false if that is taken.
pub(super) fn publish(draft: &TempDir, path: &Path) -> io::Result<bool> {
    // A rename would take an empty folder.
    if path.symlink_metadata().is_ok() {
        return Ok(false);
    }
    match fs::rename(draft.path(), path) {
        Ok(()) => Ok(true),
        Err(e) if matches!(e.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty) => Ok(false),
        Err(e) => Err(e),
    }
}

/// Removes those of killed processes. Whatever stands in the way of that, a new run does not need it.
pub(super) fn sweep(out: &Path) {
    for entry in fs::read_dir(out).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // Whoever fills one has its lock.
        if name.starts_with(PREFIX) && name.ends_with(SUFFIX) && Lock::acquire(&entry.path()).is_ok() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
