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

/// The sum of a file that is being written.
pub(super) struct Sum(Hasher);

impl Sum {
    /// Of its head, which has blank digits.
    pub fn of(head: &[u8]) -> Self {
        let mut sum = Self(Hasher::new());
        sum.add(head);
        sum
    }

    /// And of what follows.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Writes the digits into the head.
    pub fn fill(self, head: &mut [u8]) {
        let at = place(head, head.len()).expect("the notes were written");
        head[at].copy_from_slice(digits(self.0).as_bytes());
    }
}

/// Whether the digits in the first `header` bytes are there, and those of the file.
pub(super) fn holds(bytes: &[u8], header: usize) -> bool {
    place(bytes, header).is_some_and(|at| {
        let mut sum = Sum::of(&bytes[..at.start]);
        [BLANK.as_bytes(), &bytes[at.end..]].iter().for_each(|part| sum.add(part));
        // As text: a flipped bit makes a capital of a small letter.
        digits(sum.0).as_bytes() == &bytes[at]
    })
}

/// Where the digits stand. Quotes within a text are escaped: only a key can look like this.
fn place(bytes: &[u8], header: usize) -> Option<Range<usize>> {
    let key = format!("\"{}\":\"", KEYS[0]);
    let found = bytes[..header.min(bytes.len())].windows(key.len()).position(|window| window == key.as_bytes())?;
    let at = found + key.len()..found + key.len() + BLANK.len();
    (at.end < header).then_some(at)
}

fn digits(hasher: Hasher) -> String {
    format!("{:08x}", hasher.finalize())
}
