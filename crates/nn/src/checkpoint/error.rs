//! What can be wrong with a checkpoint.

use crate::state_dict::Mismatch;
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
    /// Not what `torch.save` writes of tensors.
    #[error("this is no state dict of PyTorch that can be read ({0}); save model.state_dict(), by torch.save or as safetensors")]
    Torch(String),
    /// Its bytes are not those that were written.
    #[error(
        "its checksum does not fit its content: a bit has changed since it was saved; take an earlier checkpoint or another copy"
    )]
    Damaged,
    /// The machine could not hold it.
    #[error("reading it takes {bytes} bytes of memory, {free} are free")]
    TooLarge {
        /// Bytes that reading takes.
        bytes: u64,
        /// Bytes that there are.
        free: u64,
    },
    /// No key begins with what was to be left out.
    #[error("no tensor's key begins with {0}; leave it out")]
    NoPrefix(String),
    /// A tensor of integers or of an exotic float.
    #[error("{key} holds {dtype}; F32, F64, F16 and BF16 can be loaded")]
    Type {
        /// The tensor.
        key: String,
        /// What it holds.
        dtype: String,
    },
    /// The keys or shapes are not those of the network or optimiser.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// Two tensors of one key.
    #[error("the checkpoint has a tensor {0} already; save it under another name")]
    Taken(String),
    /// The device failed.
    #[error(transparent)]
    Device(#[from] gpu_core::Error),
}

impl CheckpointError {
    pub(super) fn in_file(self, path: &Path) -> Self {
        Self::File { path: path.to_owned(), source: Box::new(self) }
    }
}
