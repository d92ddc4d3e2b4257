//! Files from outside, read as a whole and within bounds: a pipe would be waited for, and a device has no end.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// What a file may have for which nobody asks how much memory is free: that takes some 0.1 ms, as long as to decode a small picture.
const SMALL: u64 = 1 << 20;

/// The bytes of a plain file of at most `most` bytes.
///
/// # Errors
/// What the system says; if it is no plain file, has more than `most` bytes, or, above 1 MiB, more than half of what the machine has free.
pub fn read_plain(path: impl AsRef<Path>, most: u64) -> io::Result<Vec<u8>> {
    let refused = |what: String| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    // Before it is opened: to open a pipe waits for its other end.
    let there = std::fs::metadata(&path)?;
    if there.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
    }
    if !there.is_file() {
        return refused("it is no plain file".to_owned());
    }
    let most = most.min(if there.len() <= SMALL { SMALL } else { gpu_core::free_bytes() / 2 });
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
