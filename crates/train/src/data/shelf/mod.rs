//! Pictures that are decoded when they are asked for, and kept in a file from then on.
//!
//! What comes out is the same whether a picture is decoded or read from the file, whoever asks, and in whatever order.

mod cache;
mod positioned;

use crate::photo::{self, Reading};
use cache::Cache;
use crc::{CRC_64_XZ, Crc};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// Pictures by their rows, each to become an image of one shape.
pub struct Shelf {
    pictures: Vec<Picture>,
    shape: [usize; 3],
    reading: Reading,
    cache: Option<Cache>,
}

/// A file, and what it was when it was first looked at.
struct Picture {
    path: PathBuf,
    state: State,
}

/// Bytes, and the time of the last change; nothing of what cannot be looked at.
type State = Option<(u64, Duration)>;

fn state_of(path: &Path) -> State {
    let seen = std::fs::metadata(path).ok()?;
    Some((seen.len(), seen.modified().ok()?.duration_since(UNIX_EPOCH).ok()?))
}

impl Shelf {
    /// Pictures that nobody keeps.
    pub fn new(paths: Vec<PathBuf>, shape: [usize; 3], reading: Reading) -> Self {
        let pictures = paths.into_iter().map(|path| Picture { state: state_of(&path), path });
        Self { pictures: pictures.collect(), shape, reading, cache: None }
    }

    /// Keeps them in a file in `folder`, under a name that stands for their `set` and how they are read; they lie below `root`.
    ///
    /// # Errors
    /// If there can be no such file.
    pub fn keep_in(&mut self, folder: &Path, set: &Path, root: &Path) -> io::Result<()> {
        let whole = std::fs::canonicalize(set).unwrap_or_else(|_| set.to_path_buf());
        let how = format!("{:?} {:?}", self.shape, self.reading);
        let mut name = crc32fast::Hasher::new();
        name.update(whole.as_os_str().as_encoded_bytes());
        name.update(how.as_bytes());
        let stamp = |picture: &Picture| {
            let name = picture.path.strip_prefix(root).unwrap_or(&picture.path);
            checksum([name.as_os_str().as_encoded_bytes(), format!(" {:?} {how}", picture.state).as_bytes()])
        };
        let path = folder.join(format!("pictures-{:08x}.cache", name.finalize()));
        self.cache = Some(Cache::open(path, self.pictures.iter().map(stamp).collect(), self.image_bytes())?);
        Ok(())
    }

    /// The file that they are kept in, if it is a new one.
    pub fn new_file(&self) -> Option<&Path> {
        self.cache.as_ref().filter(|cache| cache.is_new()).map(Cache::path)
    }

    /// Why they cannot be kept any more, where they cannot.
    pub fn fault(&self) -> Option<&str> {
        self.cache.as_ref().and_then(Cache::fault)
    }

    pub fn image_bytes(&self) -> usize {
        self.shape.iter().product()
    }

    pub fn path(&self, row: usize) -> &Path {
        &self.pictures[row].path
    }

    /// Bytes of the file; 0 of one that cannot be looked at.
    pub fn file_bytes(&self, row: usize) -> u64 {
        self.pictures[row].state.map_or(0, |(bytes, _)| bytes)
    }

    /// Whether a picture was decoded before and is kept.
    pub fn has(&self, row: usize) -> bool {
        self.cache.as_ref().is_some_and(|cache| cache.has(row))
    }

    /// Reads a picture that is kept; false if it is not.
    pub fn read_kept(&self, row: usize, into: &mut [u8]) -> bool {
        self.cache.as_ref().is_some_and(|cache| cache.read(row, into))
    }

    /// Decodes a picture, and keeps it.
    ///
    /// # Errors
    /// If it cannot be read, or is not what it was.
    pub fn decode(&self, row: usize, into: &mut [u8]) -> Result<(), String> {
        let Picture { path, state } = &self.pictures[row];
        let image = photo::read(path, self.shape, &self.reading).map_err(|fault| fault.to_string())?;
        if state_of(path) != *state {
            return Err("this file was changed after its set was opened; begin another run".to_owned());
        }
        if let Some(cache) = &self.cache {
            cache.write(row, &image);
        }
        into.copy_from_slice(&image);
        Ok(())
    }
}

/// Of what is joined.
fn checksum<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> u64 {
    const CRC: Crc<u64> = Crc::<u64>::new(&CRC_64_XZ);
    let mut digest = CRC.digest();
    parts.into_iter().for_each(|part| digest.update(part));
    digest.finalize()
}
