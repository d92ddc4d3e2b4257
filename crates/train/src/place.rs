//! Places for files that a person names.

use crate::error::{Error, Result};
use nn::checkpoint::expect_writable;
use std::path::Path;

/// Refuses the path that `flag` names if no file can be written there, and leaves nothing: for what takes long to compute.
///
/// ```
/// # use train::expect_place;
/// let error = expect_place("--json", "no/such/folder/a.json".as_ref()).unwrap_err().to_string();
/// assert!(error.starts_with("--json no/such/folder/a.json: "), "{error}");
/// ```
///
/// # Errors
/// If it cannot.
pub fn expect_place(flag: &str, path: &Path) -> Result<()> {
    expect_writable(path).map_err(|e| Error::Setting(format!("{flag} {}: {e}", path.display())))
}
