//! What can go wrong in the workshop, each as one sentence that says what to do next.

use crate::data::DataError;
use std::io;
use std::path::{Path, PathBuf};

/// The result of whatever depends on files, settings or a device.
pub type Result<T> = std::result::Result<T, Error>;

/// A fault from outside the program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A data set that cannot be opened.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A fault of the device.
    #[error(transparent)]
    Device(#[from] gpu_core::Error),
    /// A golden file that cannot be used.
    #[error(transparent)]
    Golden(#[from] proof::Error),
    /// A setting that is out of range or does not fit the others.
    #[error("{0}")]
    Setting(String),
    /// A file that cannot be read or written.
    #[error("{doing} {}: {source}", path.display())]
    File {
        /// `reading`, `writing`, ...
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's own words.
        source: io::Error,
    },
    /// A file that was read and is not what it should be.
    #[error("{}: {message}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        message: String,
    },
    /// The loss became infinite or not a number.
    #[error("the loss is {loss} at step {step}: training diverged; use a lower --lr{checkpoint}")]
    Diverged {
        /// The step after which it was seen.
        step: u64,
        /// The loss.
        loss: f32,
        /// Where the last checkpoint from before lies, as a clause, or nothing.
        checkpoint: String,
    },
}

impl Error {
    /// The exit code of the command: 1 for a run that went wrong by itself, 2 for bad input or a bad environment.
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::Diverged { .. }) { 1 } else { 2 }
    }

    pub(crate) fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::File { doing, path, source }
    }

    pub(crate) fn content(path: &Path, message: impl Into<String>) -> Self {
        Self::Content { path: path.into(), message: message.into() }
    }

    pub(crate) fn setting<T>(message: impl Into<String>) -> Result<T> {
        Err(Self::Setting(message.into()))
    }
}

impl From<nn::StepError> for Error {
    fn from(error: nn::StepError) -> Self {
        match error {
            nn::StepError::Device(e) => Self::Device(e),
            other => Self::Setting(other.to_string()),
        }
    }
}

/// An error and its causes as one line; a cause that is already told is left out.
pub fn one_line(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        let text = e.to_string();
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        cause = e.source();
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
