//! The folder of a run: `config.toml`, `metrics.jsonl`, `last.safetensors`, `best.safetensors`.

use crate::error::{Error, Result};
use crate::settings::{Config, Settings};
use nn::checkpoint::write_atomically;
use serde_json::Value;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A run's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes a new folder in `out`: `name`, or `stem-1`, `stem-2`, ... where none is given. A folder that is there is never taken.
    ///
    /// # Errors
    /// If it cannot be made, or `name` is taken.
    pub fn create(out: &Path, name: Option<&str>, stem: &str) -> Result<Self> {
        fs::create_dir_all(out).map_err(Error::file("making", out))?;
        if let Some(name) = name {
            let path = out.join(name);
            return match fs::create_dir(&path) {
                Ok(()) => Ok(Self { path }),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(Error::content(
                    &path,
                    "there is a run of this name already; use another --name, or continue it with --resume",
                )),
                Err(e) => Err(Error::file("making", &path)(e)),
            };
        }
        let mut number = 1u64;
        loop {
            let path = out.join(format!("{stem}-{number}"));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(e) => return Err(Error::file("making", &path)(e)),
            }
        }
    }

    /// The folder of a run to continue.
    ///
    /// # Errors
    /// If it is not one, or has no checkpoint.
    pub fn open(path: &Path) -> Result<Self> {
        let run = Self { path: path.into() };
        let missing =
            |what: &str| Err(Error::content(path, format!("{what}; --resume takes the folder of a run, such as runs/NAME")));
        if !path.is_dir() {
            return missing("there is no such folder");
        }
        if !run.config().is_file() {
            return missing("this is not the folder of a run (it has no config.toml)");
        }
        if !run.last().is_file() {
            return missing("this run has no checkpoint (last.safetensors) to continue from");
        }
        Ok(run)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// The resolved settings.
    pub fn config(&self) -> PathBuf {
        self.path.join("config.toml")
    }
    /// One JSON object a line.
    pub fn metrics(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }
    /// The checkpoint to continue from.
    pub fn last(&self) -> PathBuf {
        self.path.join("last.safetensors")
    }
    /// The checkpoint of the epoch with the highest test accuracy.
    pub fn best(&self) -> PathBuf {
        self.path.join("best.safetensors")
    }

    /// Writes `config.toml`.
    ///
    /// # Errors
    /// If that fails; an older file is then as it was.
    pub fn write_config(&self, config: &Config) -> Result<()> {
        write_whole(&self.config(), &config.to_toml())
    }

    /// Reads `config.toml`.
    ///
    /// # Errors
    /// As [`Settings::read`].
    pub fn read_settings(&self) -> Result<Settings> {
        Settings::read(&self.config())
    }
}

/// A file that is there as a whole, or as it was before.
fn write_whole(path: &Path, text: &str) -> Result<()> {
    write_atomically(path, |file| file.write_all(text.as_bytes())).map_err(Error::file("writing", path))
}

/// The log of a run: one JSON object a line, in the order of the steps.
#[derive(Debug)]
pub struct MetricsLog {
    path: PathBuf,
    file: File,
}

impl MetricsLog {
    /// Begins a log.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub fn create(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().append(true).create_new(true).open(path).map_err(Error::file("making", path))?;
        Ok(Self { path: path.into(), file })
    }

    /// Continues a log after `step`: lines of later steps, and a line cut short, belong to what is done again.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn resume(path: &Path, step: u64) -> Result<Self> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => String::new(),
            Err(e) => return Err(Error::file("reading", path)(e)),
        };
        let is_done =
            |line: &&str| serde_json::from_str::<Value>(line).is_ok_and(|v| v["step"].as_u64().is_some_and(|s| s <= step));
        let kept: String = text.lines().filter(is_done).flat_map(|line| [line, "\n"]).collect();
        if kept != text {
            write_whole(path, &kept)?;
        }
        let file = OpenOptions::new().append(true).create(true).open(path).map_err(Error::file("opening", path))?;
        Ok(Self { path: path.into(), file })
    }

    /// Adds a line.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn add(&mut self, line: &Value) -> Result<()> {
        self.file.write_all(format!("{line}\n").as_bytes()).map_err(Error::file("writing", &self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_run_never_takes_a_folder_that_is_there() {
        let out = tempfile::tempdir().unwrap();
        let first = RunFolder::create(out.path(), None, "a-b").unwrap();
        let second = RunFolder::create(out.path(), None, "a-b").unwrap();
        assert_eq!((first.path(), second.path()), (&*out.path().join("a-b-1"), &*out.path().join("a-b-2")));
        RunFolder::create(out.path(), Some("mine"), "").unwrap();
        let error = RunFolder::create(out.path(), Some("mine"), "").unwrap_err().to_string();
        assert!(error.contains("a run of this name already"), "{error}");
    }

    #[test]
    fn a_resumed_log_has_no_line_of_a_step_that_is_done_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut log = MetricsLog::create(&path).unwrap();
        (1..=4).for_each(|step| log.add(&json!({"step": step})).unwrap());
        fs::write(&path, fs::read_to_string(&path).unwrap() + "{\"step\": 5, \"lo").unwrap();
        MetricsLog::resume(&path, 2).unwrap().add(&json!({"step": 3})).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n");
    }

    #[test]
    fn a_folder_that_is_no_run_says_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let words = |path: &Path| RunFolder::open(path).unwrap_err().to_string();
        assert!(words(&folder.path().join("x")).contains("no such folder"));
        assert!(words(folder.path()).contains("no config.toml"));
        fs::write(folder.path().join("config.toml"), "").unwrap();
        assert!(words(folder.path()).contains("no checkpoint"));
    }

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_whole(&path, "old").unwrap();
        write_whole(&path, "new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(write_whole(&folder.path().join("no/file"), "").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
