//! Pictures as they were read, in a file: the next run on them need not decode.
//!
//! What the file holds is taken where every picture has the name, the size and the time of its last change that it had, all were to be
//! read in the same way, and its checksum is right. Whatever is not so, it is as if there were no file, and it is written anew.

use super::decode::{Decoded, Opening};
use super::walk::Picture;
use crate::photo::Reading;
use nn::checkpoint::write_atomically;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// What the file begins with; another form of it would begin in another way.
const MAGIC: &[u8; 16] = b"wgrad pictures 1";

/// Bytes of names and times that are believed.
const LONGEST_HEADER: u64 = 1 << 30;

/// A file in which pictures may be.
pub(super) struct Cache {
    path: PathBuf,
    key: Key,
}

/// What must be the same for a file to be taken.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Key {
    shape: [usize; 3],
    reading: Reading,
    /// By split.
    pictures: Vec<Vec<Stamp>>,
}

/// Name, bytes, and seconds and nanoseconds of the last change; no numbers of what cannot be looked at.
type Stamp = (Vec<u8>, Option<(u64, Duration)>);

#[derive(Serialize, Deserialize)]
struct Header {
    key: Key,
    /// By split, for each picture why it could not be read.
    faults: Vec<Vec<Option<String>>>,
}

fn stamp(picture: &Picture) -> Stamp {
    let seen = std::fs::metadata(&picture.path).ok();
    let state = seen.and_then(|seen| Some((seen.len(), seen.modified().ok()?.duration_since(UNIX_EPOCH).ok()?)));
    (picture.name.as_os_str().as_encoded_bytes().to_vec(), state)
}

impl Cache {
    /// The file in `folder` for these pictures of `root`, by split.
    pub fn new(folder: &Path, root: &Path, splits: &[Vec<Picture>; 3], opening: &Opening<'_>) -> Self {
        let root = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
        let pictures = splits.iter().map(|pictures| pictures.iter().map(stamp).collect()).collect();
        let key = Key { shape: opening.shape, reading: opening.reading, pictures };
        let mut place = crc32fast::Hasher::new();
        place.update(root.as_os_str().as_encoded_bytes());
        place.update(format!("{:?} {:?}", key.shape, key.reading).as_bytes());
        Self { path: folder.join(format!("pictures-{:08x}.cache", place.finalize())), key }
    }

    /// What the file holds, by split; none if it is not there or not to be trusted.
    pub fn read(&self) -> Option<Vec<Decoded>> {
        let is_plain = self.path.metadata().ok()?.is_file();
        let mut file = Summed::new(BufReader::new(File::open(&self.path).ok().filter(|_| is_plain)?));
        let mut magic = [0; MAGIC.len()];
        file.read_exact(&mut magic).ok().filter(|()| magic == *MAGIC)?;
        let mut length = [0; 8];
        file.read_exact(&mut length).ok()?;
        let length = Some(u64::from_le_bytes(length)).filter(|length| *length <= LONGEST_HEADER)?;
        let mut header = Vec::new();
        file.by_ref().take(length).read_to_end(&mut header).ok().filter(|read| *read as u64 == length)?;
        let Header { key, faults } = serde_json::from_slice(&header).ok()?;
        let counts = self.key.pictures.iter().map(Vec::len);
        if key != self.key || !faults.iter().map(Vec::len).eq(counts) {
            return None;
        }
        let bytes: usize = self.key.shape.iter().product();
        let mut splits = Vec::new();
        for faults in faults {
            let mut images = Vec::new();
            images.try_reserve_exact(faults.len() * bytes).ok()?;
            images.resize(faults.len() * bytes, 0);
            file.read_exact(&mut images).ok()?;
            splits.push(Decoded { images, faults });
        }
        let (sum, mut rest) = (file.sum.clone().finalize(), Vec::new());
        file.take(5).read_to_end(&mut rest).ok()?;
        (rest == sum.to_le_bytes()).then_some(splits)
    }

    /// Writes what was read, beside an older file until it is whole.
    pub fn write(self, splits: &[Decoded]) -> io::Result<PathBuf> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let faults = splits.iter().map(|split| split.faults.clone()).collect();
        let header = serde_json::to_vec(&Header { key: self.key, faults })?;
        write_atomically(&self.path, |file| {
            let mut file = Summed::new(BufWriter::new(file));
            file.write_all(MAGIC)?;
            file.write_all(&(header.len() as u64).to_le_bytes())?;
            file.write_all(&header)?;
            splits.iter().try_for_each(|split| file.write_all(&split.images))?;
            let sum = file.sum.clone().finalize();
            file.inner.write_all(&sum.to_le_bytes())?;
            file.inner.flush()
        })?;
        Ok(self.path)
    }
}

/// A file of which all that goes through is summed up.
struct Summed<F> {
    inner: F,
    sum: crc32fast::Hasher,
}

impl<F> Summed<F> {
    fn new(inner: F) -> Self {
        Self { inner, sum: crc32fast::Hasher::new() }
    }
}

impl<F: Read> Read for Summed<F> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.sum.update(&into[..count]);
        Ok(count)
    }
}

impl<F: Write> Write for Summed<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.sum.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
