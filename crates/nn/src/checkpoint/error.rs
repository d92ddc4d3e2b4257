//! What can be wrong with a checkpoint.

use super::{Array, COUNT};
use gpu_core::Shape;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A checkpoint that cannot be read, written or loaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Something about the file at this path.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<CheckpointError>,
    },
    /// The file system does not give the file.
    #[error("it cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// The file system does not take the file.
    #[error("{} was not written: {source}; what was there before is untouched; free some space or choose another place", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
    /// Not a safetensors file, or one that was cut off.
    #[error("this is no whole safetensors file ({0}); it may have been cut off while copying: take an earlier checkpoint")]
    Format(String),
    /// A tensor of integers or of an exotic float.
    #[error("{key} holds {dtype}; F32, F64, F16 and BF16 can be loaded")]
    Type {
        /// The tensor.
        key: String,
        /// What it holds.
        dtype: String,
    },
    /// The keys or shapes are not those of the network or optimiser.
    #[error("{0}")]
    Mismatch(Mismatch),
    /// The device failed.
    #[error(transparent)]
    Device(#[from] gpu_core::Error),
}

impl CheckpointError {
    pub(super) fn in_file(self, path: &Path) -> Self {
        Self::File { path: path.to_owned(), source: Box::new(self) }
    }

    /// With `prefix` before the keys.
    pub(super) fn under(self, prefix: &str) -> Self {
        let prefixed = |keys: Vec<String>| keys.into_iter().map(|key| format!("{prefix}{key}")).collect();
        match self {
            Self::Mismatch(m) => Self::Mismatch(Mismatch {
                missing: prefixed(m.missing),
                unexpected: prefixed(m.unexpected),
                misshapen: prefixed(m.misshapen),
            }),
            other => other,
        }
    }
}

/// All keys that do not fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mismatch {
    /// Wanted, and not there.
    pub missing: Vec<String>,
    /// There, and not wanted.
    pub unexpected: Vec<String>,
    /// There with another shape: key, shape in the file, shape wanted.
    pub misshapen: Vec<String>,
}

impl Mismatch {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Refuses what does not fit; see [`of`](Self::of).
    pub(crate) fn between<'a>(
        wanted: impl Iterator<Item = (&'a str, Shape)>,
        found: &BTreeMap<String, Array>,
        ignore: impl Fn(&str) -> bool,
    ) -> Result<(), CheckpointError> {
        let mismatch = Self::of(wanted, found, ignore);
        if mismatch.is_empty() { Ok(()) } else { Err(CheckpointError::Mismatch(mismatch)) }
    }

    /// Holds what was found against what is wanted; keys that `ignore` knows may be there.
    pub(super) fn of<'a>(
        wanted: impl Iterator<Item = (&'a str, Shape)>,
        found: &BTreeMap<String, Array>,
        ignore: impl Fn(&str) -> bool,
    ) -> Self {
        let (mut mismatch, mut known) = (Self::default(), BTreeSet::new());
        for (key, shape) in wanted {
            known.insert(key);
            match found.get(key) {
                None => mismatch.missing.push(key.to_owned()),
                Some(a) if !a.fits(shape) => {
                    mismatch.misshapen.push(format!("{key} ({:?} in the file, {shape} wanted)", a.shape));
                }
                Some(_) => {}
            }
        }
        let is_count = |key: &str| key.rsplit('.').next() == Some(COUNT);
        let others = found.keys().filter(|key| !known.contains(key.as_str()) && !ignore(key) && !is_count(key));
        mismatch.unexpected = others.cloned().collect();
        mismatch
    }
}

impl Mismatch {
    /// The keys of each kind, a line for each that there is.
    pub fn lists(&self) -> String {
        let lists = [("missing", &self.missing), ("unexpected", &self.unexpected), ("of another shape", &self.misshapen)];
        let lists = lists.iter().filter(|(_, keys)| !keys.is_empty());
        lists.map(|(what, keys)| format!("\n  {what} ({}): {}", keys.len(), keys.join(", "))).collect()
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists = self.lists();
        write!(
            f,
            "the checkpoint is of another network or optimizer:{lists}\nbuild the network that the file was saved from, or choose another file"
        )
    }
}
