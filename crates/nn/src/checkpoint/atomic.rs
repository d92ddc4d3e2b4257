//! A file that is there as a whole, or not at all.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use tempfile::{Builder, NamedTempFile};

/// What a temporary name ends with; it begins with a full stop.
const SUFFIX: &str = ".tmp";

/// Writes a file under a temporary name in the same directory, brings it to the disk, and renames it. If anything fails, the
/// temporary file is removed and what was at `path` before is untouched. What a killed process leaves is for [`sweep`].
///
/// # Errors
/// Whatever the file system or `write` says; or if `path` is there and no plain file: a device or a pipe is nothing to replace.
pub fn write_atomically(path: impl AsRef<Path>, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let (path, directory) = destination(path.as_ref())?;
    let mut file = temporary(&path, &directory)?;
    write(file.as_file_mut())?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|e| e.error)?;
    sync_directory(&directory)
}

/// Refuses a path that [`write_atomically`] could not write, and leaves nothing there: for what takes long to compute.
///
/// # Errors
/// What [`write_atomically`] would say.
pub fn expect_writable(path: impl AsRef<Path>) -> io::Result<()> {
    let (path, directory) = destination(path.as_ref())?;
    temporary(&path, &directory).map(drop)
}

/// Removes what processes that were killed while they wrote into `directory` left there: only for a directory in which no other process
/// writes.
///
/// # Errors
/// Whatever the file system says.
pub fn sweep(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') && name.ends_with(SUFFIX) && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Where a file will lie, and the directory that it lies in.
fn destination(path: &Path) -> io::Result<(PathBuf, PathBuf)> {
    // A link stays a link: what it points to is replaced.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match fs::metadata(&path) {
        Ok(there) if there.is_dir() => return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory")),
        Ok(there) if !there.is_file() => return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file")),
        _ => {}
    }
    if path.file_name().is_none() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"));
    }
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    Ok((path, directory))
}

/// A new file beside `path`, of a name that no other process has; it is removed unless it is kept.
fn temporary(path: &Path, directory: &Path) -> io::Result<NamedTempFile> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Of a long name a part: what is added must not make it too long for the file system.
    let prefix: String = std::iter::once('.').chain(name.chars().take(50)).chain(['.']).collect();
    let mut builder = Builder::new();
    builder.prefix(&prefix).suffix(SUFFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // Its own errors name the temporary file.
    builder.tempfile_in(directory).map_err(|e| match e.kind() {
        kind @ io::ErrorKind::NotFound => io::Error::new(kind, format!("there is no folder {}", directory.display())),
        kind @ io::ErrorKind::PermissionDenied => {
            io::Error::new(kind, format!("nothing may be written into {}", directory.display()))
        }
        _ => e,
    })
}

/// The rename itself must reach the disk too.
#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_directory: &Path) -> io::Result<()> {
    Ok(())
}
