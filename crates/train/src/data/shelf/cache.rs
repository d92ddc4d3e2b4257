//! Pictures as they were decoded, in a file: what was decoded once need not be again, in this run or the next.
//!
//! The file has a place for every picture, which is filled when the picture is first decoded, in whatever order. A row a picture says
//! whether it is there, of which name, size and time of its last change it was, and has the checksum of its bytes, which every read is
//! held to. So there is no moment at which a file is half written: one that a process left when it was killed holds what was decoded by
//! then, and a byte that is wrong costs the picture that it is of another decoding.
//!
//! `magic, pictures: u64, bytes of each: u64; then for each {stamp: u64, checksum: u32, is there: u32}; then the bytes of each`, all of
//! it little-endian.

use super::positioned::{read_at, write_at};
use nn::checkpoint::write_atomically;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the file begins with; another form of it would begin in another way.
const MAGIC: &[u8; 16] = b"wgrad pictures 2";
const HEAD: u64 = 32;
const ROW: u64 = 16;

/// What [`Cache::sums`] holds beside the checksum of a picture that is there.
const THERE: u64 = 1 << 32;

/// A file in which pictures are, or will be.
pub(super) struct Cache {
    path: PathBuf,
    file: File,
    is_new: bool,
    image_bytes: usize,
    /// What tells a picture from another, or from itself before it changed.
    stamps: Vec<u64>,
    /// Of each picture that is there its checksum and [`THERE`], else 0.
    sums: Vec<AtomicU64>,
    /// Why nothing is written any more.
    fault: OnceLock<String>,
}

impl Cache {
    /// The file at `path` for pictures of these stamps, made anew if there is none of their number and size.
    pub fn open(path: PathBuf, stamps: Vec<u64>, image_bytes: usize) -> io::Result<Self> {
        let shape = [stamps.len() as u64, image_bytes as u64];
        let (file, is_new) = match opened(&path, shape) {
            Some(file) => (file, false),
            None => (made(&path, shape)?, true),
        };
        let mut rows = vec![0; stamps.len() * ROW as usize];
        read_at(&file, &mut rows, HEAD)?;
        let sum = |(row, stamp): (&[u8], &u64)| {
            let word = |at: usize| u64::from_le_bytes(row[at..at + 8].try_into().expect("eight bytes"));
            // The checksum stands below the word that says that the picture is there.
            AtomicU64::new(if word(0) == *stamp && word(8) & !u64::from(u32::MAX) == THERE { word(8) } else { 0 })
        };
        let sums = rows.chunks_exact(ROW as usize).zip(&stamps).map(sum).collect();
        Ok(Self { path, file, is_new, image_bytes, stamps, sums, fault: OnceLock::new() })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there was no such file before.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Why pictures are not written any more, where they are not.
    pub fn fault(&self) -> Option<&str> {
        self.fault.get().map(String::as_str)
    }

    /// Whether a picture is there, as far as its row says.
    pub fn has(&self, row: usize) -> bool {
        self.sums[row].load(Ordering::Acquire) != 0
    }

    /// Reads a picture; false if it is not there, or not as it was written.
    pub fn read(&self, row: usize, into: &mut [u8]) -> bool {
        let sum = self.sums[row].load(Ordering::Acquire);
        sum != 0 && read_at(&self.file, into, self.place(row)).is_ok() && THERE | u64::from(crc32fast::hash(into)) == sum
    }

    /// Writes a picture. Where that fails it is not there, and no other is written.
    pub fn write(&self, row: usize, image: &[u8]) {
        if self.fault.get().is_some() {
            return;
        }
        let sum = THERE | u64::from(crc32fast::hash(image));
        let mut words = [0; ROW as usize];
        words[..8].copy_from_slice(&self.stamps[row].to_le_bytes());
        words[8..].copy_from_slice(&sum.to_le_bytes());
        let written = write_at(&self.file, image, self.place(row));
        match written.and_then(|()| write_at(&self.file, &words, HEAD + ROW * row as u64)) {
            Ok(()) => self.sums[row].store(sum, Ordering::Release),
            Err(e) => drop(self.fault.set(e.to_string())),
        }
    }

    fn place(&self, row: usize) -> u64 {
        HEAD + ROW * self.sums.len() as u64 + row as u64 * self.image_bytes as u64
    }
}

fn head([pictures, image_bytes]: [u64; 2]) -> [u8; HEAD as usize] {
    let mut head = [0; HEAD as usize];
    head[..16].copy_from_slice(MAGIC);
    head[16..24].copy_from_slice(&pictures.to_le_bytes());
    head[24..].copy_from_slice(&image_bytes.to_le_bytes());
    head
}

fn length([pictures, image_bytes]: [u64; 2]) -> u64 {
    HEAD + pictures.saturating_mul(ROW.saturating_add(image_bytes))
}

/// A file that is there and has the right form.
fn opened(path: &Path, shape: [u64; 2]) -> Option<File> {
    let there = path.metadata().ok()?;
    // Before it is opened: to open a pipe waits for its other end.
    if !there.is_file() || there.len() != length(shape) {
        return None;
    }
    let file = OpenOptions::new().read(true).write(true).open(path).or_else(|_| File::open(path)).ok()?;
    let mut found = [0; HEAD as usize];
    read_at(&file, &mut found, 0).ok()?;
    (found == head(shape)).then_some(file)
}

/// A new one, in which nothing is yet; the system gives it room as it is filled.
fn made(path: &Path, shape: [u64; 2]) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    write_atomically(path, |file| {
        file.write_all(&head(shape))?;
        file.set_len(length(shape))
    })?;
    OpenOptions::new().read(true).write(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_takes_no_more_is_read_on_and_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept");
        let mut cache = Cache::open(path.clone(), vec![1, 2], 3).unwrap();
        cache.write(0, &[7, 8, 9]);
        assert!(cache.is_new() && cache.fault().is_none());
        cache.file = File::open(&path).unwrap();
        cache.write(1, &[4, 5, 6]);
        assert!(cache.fault().is_some() && !cache.has(1));
        let mut image = [0; 3];
        assert!(cache.read(0, &mut image) && image == [7, 8, 9]);
        assert!(!cache.read(1, &mut image));
    }

    #[test]
    fn a_picture_is_known_by_its_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let open = |stamps| Cache::open(folder.path().join("kept"), stamps, 1).unwrap();
        let cache = open(vec![1, 2]);
        (0..2).for_each(|row| cache.write(row, &[5]));
        let cache = open(vec![1, 3]);
        assert!(!cache.is_new() && cache.has(0) && !cache.has(1));
        // Another number of pictures is another file.
        assert!(open(vec![1, 2, 3]).is_new());
    }
}
