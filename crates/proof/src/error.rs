//! What can go wrong with golden files.

use std::io;
use std::path::{Path, PathBuf};

/// The result of whatever reads golden files.
pub type Result<T> = std::result::Result<T, Error>;

/// A fault from outside the program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A fault of the device.
    #[error(transparent)]
    Device(#[from] gpu_core::Error),
    /// A training step that cannot be recorded.
    #[error(transparent)]
    Step(#[from] nn::StepError),
    /// A file or folder that cannot be read.
    #[error("reading {}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The system's own words.
        source: io::Error,
    },
    /// A file that was read and is no golden file.
    #[error("{}: {message}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
}

impl Error {
    pub(crate) fn reading(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::File { path, source }
    }

    pub(crate) fn content(path: &Path, message: impl Into<String>) -> Self {
        Self::Content { path: path.into(), message: message.into() }
    }
}
