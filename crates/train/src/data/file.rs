//! The bytes of a file.

use super::error::DataError;
use std::path::Path;

pub(super) fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    std::fs::read(path).map_err(|source| DataError::Read { path: path.into(), source })
}
