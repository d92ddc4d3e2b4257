//! What a run's folder tells of it, whether it runs or not.

use super::{CONFIG, METRICS};
use crate::error::{Error, Result};
use crate::file;
use nn::checkpoint::read_plain;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Settings and log of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The folder's name.
    pub name: String,
    /// By their keys in `config.toml`.
    pub settings: BTreeMap<String, Value>,
    /// The lines of `metrics.jsonl`.
    pub log: Vec<Map<String, Value>>,
}

impl Record {
    /// From a run's folder.
    ///
    /// # Errors
    /// If it is not that of a run.
    pub fn read(folder: &Path) -> Result<Self> {
        let config = folder.join(CONFIG);
        if !config.is_file() {
            return Err(Error::content(folder, "this is not the folder of a run (it has no config.toml)"));
        }
        let text = file::read_text(&config).map_err(Error::file("reading", &config))?;
        let settings = toml::from_str(&text).map_err(|e| Error::content(&config, format!("this is not TOML: {}", e.message())))?;
        let metrics = folder.join(METRICS);
        let bytes = match read_plain(&metrics, file::DATA) {
            Ok(bytes) => bytes,
            // Before the first line.
            Err(e) if e.kind() == ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(Error::file("reading", &metrics)(e)),
        };
        // A line cut short is one that is being written.
        let log = bytes.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
        let name = folder.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
        Ok(Self { name: name.unwrap_or_else(|| folder.display().to_string()), settings, log })
    }

    /// What the last line that has this key says.
    pub fn last(&self, key: &str) -> Option<&Value> {
        self.log.iter().rev().find_map(|line| line.get(key).filter(|value| !value.is_null()))
    }

    /// The share of the test images that were recognised: by the best weights, or the last where there are none. Where the best are chosen
    /// by the test images, it is their highest.
    pub fn test_accuracy(&self) -> Option<f64> {
        let tested = self.last("test").and_then(|test| test["best"]["accuracy"].as_f64().or(test["last"]["accuracy"].as_f64()));
        tested.or_else(|| self.highest("test_accuracy"))
    }

    /// The highest of what the lines say of this key.
    pub fn highest(&self, key: &str) -> Option<f64> {
        self.log.iter().filter_map(|line| line.get(key)?.as_f64()).reduce(f64::max)
    }
}

/// The folders of runs in a folder, by name.
///
/// # Errors
/// If it cannot be read.
pub fn runs_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).and_then(|entries| entries.collect::<std::io::Result<Vec<_>>>());
    let entries = entries.map_err(Error::file("reading", folder))?;
    let mut found: Vec<PathBuf> = entries.into_iter().map(|e| e.path()).filter(|path| path.join(CONFIG).is_file()).collect();
    found.sort();
    Ok(found)
}
