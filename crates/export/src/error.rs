//! Why a network cannot be written for another program.

use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why a network cannot be written for another program.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// A layer that the format has no words for.
    #[error("layer {path} ({kind}) cannot be exported: {why}")]
    Layer {
        /// Its path, as in the state dict.
        path: String,
        /// Its kind.
        kind: String,
        /// What stands in the way, and what to do.
        why: String,
    },
    /// A layer that does not fit what comes in.
    #[error(transparent)]
    Shape(#[from] nn::ShapeError),
    /// More than a file of this format can hold.
    #[error("its weights take {bytes} bytes, and a file of this format has at most {limit}; make layers smaller")]
    TooLarge {
        /// Of the weights.
        bytes: u64,
        /// What the format allows.
        limit: u64,
    },
    /// A fault of the device that the weights lie on.
    #[error(transparent)]
    Device(#[from] gpu_core::Error),
    /// The file cannot be written.
    #[error("writing {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's own words.
        source: io::Error,
    },
}
