//! A table on its way to its file.

use crate::error::{Error, Result};
use nn::checkpoint::write_atomically;
use std::io::Write;
use std::path::Path;

pub(super) fn write(path: &Path, table: csv::Writer<Vec<u8>>) -> Result<()> {
    let bytes = table.into_inner().expect("a list takes all bytes");
    write_atomically(path, |file| file.write_all(&bytes)).map_err(Error::file("writing", path))
}
