//! What files from outside may have, and text from them.

use nn::checkpoint::read_plain;
use serde::Serializer;
use std::io;
use std::path::Path;

/// What a file of settings, of names or of a layer list may have.
pub(crate) const TEXT: u64 = 16 << 20;
/// What a picture or a report may have.
pub(crate) const PICTURE: u64 = 1 << 30;
/// What one file of a data set may have; decompressed, too.
pub(crate) const DATA: u64 = 8 << 30;

/// A path in JSON. What is no UTF-8 in it is replaced: JSON has no other text.
pub(crate) fn as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// A plain file as text.
///
/// # Errors
/// As [`read_plain`], or if it is not UTF-8.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    let wrong = |e: std::string::FromUtf8Error| {
        let at = e.utf8_error().valid_up_to();
        io::Error::new(io::ErrorKind::InvalidData, format!("it is not UTF-8 at byte {at}"))
    };
    String::from_utf8(read_plain(path, TEXT)?).map_err(wrong)
}
