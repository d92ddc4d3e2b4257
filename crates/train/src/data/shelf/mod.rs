//! Pictures that are decoded when they are asked for, and kept in a file from then on.
//!
//! What comes out is the same whether a picture is decoded or read from the file, whoever asks, and in whatever order.

mod cache;
mod positioned;

use crate::photo::{self, Reading, ValueSet};
use cache::Cache;
use crc::{CRC_64_XZ, Crc};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// The file of a picture, and of its mask where it has one.
type Pair = (PathBuf, Option<PathBuf>);

/// Pictures by their rows, each to become an image of one shape.
pub struct Shelf {
    pictures: Vec<Picture>,
    shape: [usize; 3],
    /// Whether each has a mask.
    is_masked: bool,
    reading: Reading,
    cache: Option<Cache>,
}

/// A file, with its mask where it has one, and what they were when they were first looked at.
struct Picture {
    path: PathBuf,
    state: State,
    mask: Option<(PathBuf, State)>,
}

/// Bytes, and the time of the last change; nothing of what cannot be looked at.
type State = Option<(u64, Duration)>;

fn state_of(path: &Path) -> State {
    let seen = std::fs::metadata(path).ok()?;
    Some((seen.len(), seen.modified().ok()?.duration_since(UNIX_EPOCH).ok()?))
}

impl Shelf {
    /// Pictures that nobody keeps.
    pub fn new(files: Vec<Pair>, shape: [usize; 3], reading: Reading) -> Self {
        let is_masked = files.first().is_some_and(|(_, mask)| mask.is_some());
        let picture = |(path, mask): Pair| {
            let mask = mask.map(|mask| (mask.clone(), state_of(&mask)));
            Picture { state: state_of(&path), path, mask }
        };
        Self { pictures: files.into_iter().map(picture).collect(), shape, is_masked, reading, cache: None }
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
            let name = |path: &Path| path.strip_prefix(root).unwrap_or(path).as_os_str().as_encoded_bytes().to_vec();
            let (of_mask, state) = picture.mask.as_ref().map(|(path, state)| (name(path), *state)).unzip();
            let mask = state.map(|state| format!(" {state:?}"));
            checksum([
                &name(&picture.path)[..],
                format!(" {:?} {how}", picture.state).as_bytes(),
                &of_mask.unwrap_or_default()[..],
                mask.unwrap_or_default().as_bytes(),
            ])
        };
        let path = folder.join(format!("pictures-{:08x}.cache", name.finalize()));
        self.cache = Some(Cache::open(path, self.pictures.iter().map(stamp).collect(), self.row_bytes())?);
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

    /// Bytes of a row: an image, and where there are masks, its mask and the values of that one's file.
    pub fn row_bytes(&self) -> usize {
        let [channels, height, width] = self.shape;
        let mask = if self.is_masked { height * width + ValueSet::BYTES } else { 0 };
        channels * height * width + mask
    }

    /// Whether pictures have masks.
    pub fn is_masked(&self) -> bool {
        self.is_masked
    }

    /// An image, its mask, and the values of that one's file, of a row that was read; of pictures without masks the last two are nothing.
    pub fn parted<'a>(&self, row: &'a [u8]) -> (&'a [u8], &'a [u8], ValueSet) {
        let (image, rest) = row.split_at(self.shape.iter().product());
        match self.is_masked {
            true => {
                let (mask, values) = rest.split_at(rest.len() - ValueSet::BYTES);
                (image, mask, ValueSet::of(values))
            }
            false => (image, rest, ValueSet::default()),
        }
    }

    /// The file of a picture's mask.
    pub fn mask(&self, row: usize) -> Option<&Path> {
        self.pictures[row].mask.as_ref().map(|(path, _)| path.as_path())
    }

    pub fn path(&self, row: usize) -> &Path {
        &self.pictures[row].path
    }

    /// Bytes of the file, and of its mask's; 0 of one that cannot be looked at, or is not.
    pub fn file_bytes(&self, row: usize) -> [u64; 2] {
        let Picture { state, mask, .. } = &self.pictures[row];
        [*state, mask.as_ref().and_then(|(_, state)| *state)].map(|state| state.map_or(0, |(bytes, _)| bytes))
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
        let Picture { path, state, mask } = &self.pictures[row];
        let image = match mask {
            None => photo::read(path, self.shape, &self.reading),
            Some((mask, _)) => photo::read_with_mask(path, mask, self.shape, &self.reading),
        };
        let image = image.map_err(|fault| fault.to_string())?;
        if state_of(path) != *state || mask.as_ref().is_some_and(|(path, state)| state_of(path) != *state) {
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
