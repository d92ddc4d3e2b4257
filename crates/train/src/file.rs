//! Files from outside, read as a whole and within bounds: a pipe would be waited for, and a device has no end.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// What a file of settings, of names or of a layer list may have.
pub(crate) const TEXT: u64 = 16 << 20;
/// What a picture or a report may have.
pub(crate) const PICTURE: u64 = 1 << 30;
/// What one file of a data set may have; decompressed, too.
pub(crate) const DATA: u64 = 8 << 30;

/// The bytes of a plain file.
///
/// # Errors
/// What the system says; if it is no plain file, has more than `most` bytes, or as many as the machine has not free.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let refused = |what: String| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    // Before it is opened: to open a pipe waits for its other end.
    let there = std::fs::metadata(path)?;
    if there.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
    }
    if !there.is_file() {
        return refused("it is no plain file".to_owned());
    }
    let most = most.min(gpu_core::free_bytes() / 2);
    if there.len() > most {
        return refused(format!("it has {} bytes, of which {most} could be read", there.len()));
    }
    let mut bytes = Vec::new();
    // One more than there should be: what grows meanwhile is refused too.
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return refused(format!("it has more than {most} bytes"));
    }
    Ok(bytes)
}

/// The same as text.
///
/// # Errors
/// As [`read`], or if it is not UTF-8.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    let wrong = |e: std::string::FromUtf8Error| {
        let at = e.utf8_error().valid_up_to();
        io::Error::new(io::ErrorKind::InvalidData, format!("it is not UTF-8 at byte {at}"))
    };
    String::from_utf8(read(path, TEXT)?).map_err(wrong)
}
