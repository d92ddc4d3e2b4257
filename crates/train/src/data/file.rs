//! The bytes of a file.

use super::error::DataError;
use crate::file;
use nn::checkpoint::read_plain;
use std::path::Path;

pub(super) fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    read_plain(path, file::DATA).map_err(|source| DataError::Read { path: path.into(), source })
}

/// What a file may have, packed or not.
pub(super) fn most_bytes() -> u64 {
    file::DATA.min(gpu_core::free_bytes() / 2)
}
