//! A run as its folder tells it.

use super::tested::Tested;
use crate::error::{Error, Result};
use crate::file;
use crate::run_folder::TEST_TABLE;
use nn::checkpoint::read_plain;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// Records of a kind that a page shows: more than a screen has pixels.
const MOST: usize = 2000;

/// What a page shows of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Run {
    pub name: String,
    pub settings: BTreeMap<String, Value>,
    pub log: Vec<Map<String, Value>>,
    pub tested: Option<Tested>,
}

impl Run {
    /// From its folder.
    ///
    /// # Errors
    /// If it is not that of a run.
    pub fn read(folder: &Path) -> Result<Self> {
        let config = folder.join("config.toml");
        if !config.is_file() {
            return Err(Error::content(folder, "this is not the folder of a run (it has no config.toml)"));
        }
        let text = file::read_text(&config).map_err(Error::file("reading", &config))?;
        let settings = toml::from_str(&text).map_err(|e| Error::content(&config, format!("this is not TOML: {}", e.message())))?;
        let metrics = folder.join("metrics.jsonl");
        let bytes = match read_plain(&metrics, file::DATA) {
            Ok(bytes) => bytes,
            // Before the first line.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(Error::file("reading", &metrics)(e)),
        };
        // A line cut short is one that is being written.
        let lines = bytes.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice::<Map<_, _>>(line).ok());
        let (steps, others): (Vec<_>, Vec<_>) = lines.partition(|record| record.contains_key("lr"));
        let name = folder.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
        Ok(Self {
            name: name.unwrap_or_else(|| folder.display().to_string()),
            settings,
            log: thinned(steps).into_iter().chain(thinned(others)).collect(),
            tested: Tested::read(&folder.join(TEST_TABLE))?,
        })
    }
}

/// At most so many, evenly, the last among them.
fn thinned<T>(records: Vec<T>) -> Vec<T> {
    let (count, stride) = (records.len(), records.len().div_ceil(MOST).max(1));
    records.into_iter().enumerate().filter(|(i, _)| (count - 1 - i).is_multiple_of(stride)).map(|(_, record)| record).collect()
}
