//! The checksum of a checkpoint: CRC-32 over every byte of the file, its own eight digits read as zeros.
//!
//! It stands among the notes of the header. A flipped bit in the name of its note must not make the file one without a checksum, as older
//! files and those of other programs are: so a second note says what the first one is, and either of them asks for the sum.

use crc32fast::Hasher;
use std::ops::Range;

/// The note of the digits, and the note that says what they are.
pub(super) const KEYS: [&str; 2] = ["wgrad.crc32", "wgrad.crc32.covers"];
const COVERS: &str = "every byte of this file, with 00000000 for the digits of wgrad.crc32";
const BLANK: &str = "00000000";

/// Both notes, the digits not known yet.
pub(super) fn blank() -> String {
    let [digits, covers] = KEYS;
    format!(",\"{digits}\":\"{BLANK}\",\"{covers}\":\"{COVERS}\"")
}

/// Writes the digits.
pub(super) fn fill(bytes: &mut [u8]) {
    let at = place(bytes, bytes.len()).expect("the notes were written");
    let digits = digits(bytes, &at);
    bytes[at].copy_from_slice(digits.as_bytes());
}

/// Whether the digits in the first `header` bytes are there, and those of the file.
pub(super) fn holds(bytes: &[u8], header: usize) -> bool {
    // As text: a flipped bit makes a capital of a small letter.
    place(bytes, header).is_some_and(|at| digits(bytes, &at).as_bytes() == &bytes[at])
}

/// Where the digits stand. Quotes within a text are escaped: only a key can look like this.
fn place(bytes: &[u8], header: usize) -> Option<Range<usize>> {
    let key = format!("\"{}\":\"", KEYS[0]);
    let found = bytes[..header.min(bytes.len())].windows(key.len()).position(|window| window == key.as_bytes())?;
    let at = found + key.len()..found + key.len() + BLANK.len();
    (at.end < header).then_some(at)
}

fn digits(bytes: &[u8], at: &Range<usize>) -> String {
    let mut hasher = Hasher::new();
    [&bytes[..at.start], BLANK.as_bytes(), &bytes[at.end..]].iter().for_each(|part| hasher.update(part));
    format!("{:08x}", hasher.finalize())
}
