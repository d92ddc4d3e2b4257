//! One process at a time in a run's folder.

use crate::error::{Error, Result};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The lock of a folder. The system takes it from a process that ends in whatever way; the file is removed where it ends in order.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    // What holds it: closed after the file is removed.
    _file: File,
}

impl Lock {
    /// # Errors
    /// If another process has it, or the file cannot be made.
    pub fn acquire(folder: &Path) -> Result<Self> {
        let path = folder.join(".lock");
        loop {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(Error::file("opening", &path))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::content(folder, "another process is at work on this run; wait until it is done, or end it"));
                }
                // A file system without locks: it is as if there were none.
                Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => {}
                Err(TryLockError::Error(e)) => return Err(Error::file("locking", &path)(e)),
            }
            // The one that had it may have removed the file after this process had opened it.
            if is_at(&file, &path) {
                // For a person who finds it; nothing depends on it.
                let _ = file.set_len(0);
                let _ = writeln!(file, "Process {} is at work on this run, or was ended without notice.", std::process::id());
                return Ok(Self { path, _file: file });
            }
        }
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let number = |metadata: io::Result<fs::Metadata>| metadata.map(|m| (m.dev(), m.ino())).ok();
    number(file.metadata()) == number(fs::metadata(path))
}

#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Elsewhere there is no telling whether the file at the path is still the one that is held.
        if cfg!(unix) {
            let _ = fs::remove_file(&self.path);
        }
    }
}
