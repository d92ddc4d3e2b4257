//! The folder of a run: `config.toml`, `metrics.jsonl`, `report.html`, `last.safetensors`, `best.safetensors`, at the end `test.csv` and
//! `inspection.json`, where they are wanted event files for TensorBoard, and a lock while a process works on it.
//!
//! A folder gets its name once it has a checkpoint: a run that was killed at any moment is one that can be continued, or none.

mod chosen;
mod drafts;
mod events;
mod lock;
mod log;
mod record;

pub use chosen::{checkpoint_of, newest_run};
pub(crate) use lock::Lock;
pub use log::{LR_BY_HAND, MetricsLog};
pub use record::{Record, runs_in};

use crate::error::{Error, Result};
use crate::model::about;
use crate::settings::{Config, Settings, Validation};
use nn::checkpoint::{Checkpoint, sweep, write_atomically};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The settings of a run, in its folder.
pub const CONFIG: &str = "config.toml";
/// The page that shows a run, in its folder.
pub const REPORT: &str = "report.html";
const METRICS: &str = "metrics.jsonl";
/// The checkpoint to continue from, in the folder of a run.
pub(crate) const LAST: &str = "last.safetensors";
const BEST: &str = "best.safetensors";
/// A row for each test image, by the best weights.
pub(crate) const TEST_TABLE: &str = "test.csv";
/// What was found in the network.
pub const INSPECTION: &str = "inspection.json";

/// A run's folder, which is this process's until it is dropped, or that of the first of several that compute the run.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    /// None where another process has it.
    lock: Option<Lock>,
}

impl RunFolder {
    /// Makes a new folder in `out`: `name`, or `stem-1`, `stem-2`, ... where none is given. `config` and `first`, the checkpoint before the
    /// first step, are in it as soon as it has its name. A folder that is there is never taken.
    ///
    /// # Errors
    /// If it cannot be made or written, or `name` is taken; nothing is left then.
    pub fn create(out: &Path, name: Option<&str>, stem: &str, config: &Config, first: &Checkpoint) -> Result<Self> {
        let is_new = !out.exists();
        fs::create_dir_all(out).map_err(Error::file("making", out))?;
        let made = Self::made(out, name, stem, config, first);
        if is_new && made.is_err() {
            // It is empty, and nobody's.
            let _ = fs::remove_dir(out);
        }
        made
    }

    fn made(out: &Path, name: Option<&str>, stem: &str, config: &Config, first: &Checkpoint) -> Result<Self> {
        drafts::sweep(out);
        let draft = drafts::new(out)?;
        {
            let _lock = Lock::acquire(draft.path())?;
            write_whole(&draft.path().join(CONFIG), &config.anchored().to_toml())?;
            let last = draft.path().join(LAST);
            first.write(&last).map_err(|e| about(&last, e))?;
        }
        let mut number = 1u64;
        loop {
            let path = out.join(name.map_or_else(|| format!("{stem}-{number}"), str::to_owned));
            match drafts::publish(&draft, &path) {
                Ok(true) => return Ok(Self { lock: Some(Lock::acquire(&path)?), path }),
                Ok(false) if name.is_none() => number += 1,
                Ok(false) => return Err(Self::taken(&path)),
                Err(e) => return Err(Error::file("making", &path)(e)),
            }
        }
    }

    /// Refuses a name that is taken, before much is done for a run.
    ///
    /// # Errors
    /// If it is.
    pub fn expect_free(out: &Path, name: Option<&str>) -> Result<()> {
        match name.map(|name| out.join(name)).filter(|path| path.symlink_metadata().is_ok()) {
            Some(path) => Err(Self::taken(&path)),
            None => Ok(()),
        }
    }

    fn taken(path: &Path) -> Error {
        Error::content(path, "there is a run of this name already; use another --name, or continue it with --resume")
    }

    /// The folder of a run to continue. What a killed process left half written is removed.
    ///
    /// # Errors
    /// If it is not one, has no checkpoint, or another process is at work on it.
    pub fn open(path: &Path) -> Result<Self> {
        let missing =
            |what: &str| Err(Error::content(path, format!("{what}; --resume takes the folder of a run, such as runs/NAME")));
        if !path.is_dir() {
            return missing("there is no such folder");
        }
        if !path.join(CONFIG).is_file() {
            return missing("this is not the folder of a run (it has no config.toml)");
        }
        if !path.join(LAST).is_file() {
            return missing("this run has no checkpoint (last.safetensors) to continue from");
        }
        let lock = Lock::acquire(path)?;
        sweep(path).map_err(Error::file("sweeping", path))?;
        Ok(Self { path: path.into(), lock: Some(lock) })
    }

    /// The folder of a run that another process writes: for one of those that compute it with that one.
    pub fn of_another(path: PathBuf) -> Self {
        Self { path, lock: None }
    }

    /// Whether this process is the one that writes it.
    pub fn is_ours(&self) -> bool {
        self.lock.is_some()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// The resolved settings.
    pub fn config(&self) -> PathBuf {
        self.path.join(CONFIG)
    }
    /// One JSON object a line.
    pub fn metrics(&self) -> PathBuf {
        self.path.join(METRICS)
    }
    /// The page that shows it, rewritten at the end of each epoch.
    pub fn report(&self) -> PathBuf {
        self.path.join(REPORT)
    }
    /// What the best weights say of each test image, once the run is over.
    pub fn test_table(&self) -> PathBuf {
        self.path.join(TEST_TABLE)
    }
    /// What was found in the network, once the run is over.
    pub fn inspection(&self) -> PathBuf {
        self.path.join(INSPECTION)
    }
    /// The checkpoint to continue from.
    pub fn last(&self) -> PathBuf {
        self.path.join(LAST)
    }
    /// The checkpoint of the epoch with the best score of the validation images.
    pub fn best(&self) -> PathBuf {
        self.path.join(BEST)
    }

    /// Removes what is told at the end of a run, which is not the last word any more.
    ///
    /// # Errors
    /// If that fails.
    pub fn forget_end(&self) -> Result<()> {
        for path in [self.test_table(), self.inspection()] {
            match fs::remove_file(&path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(Error::file("removing", &path)(e)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes `config.toml`.
    ///
    /// # Errors
    /// If that fails; an older file is then as it was.
    pub fn write_config(&self, config: &Config) -> Result<()> {
        write_whole(&self.config(), &config.anchored().to_toml())
    }

    /// Reads `config.toml`.
    ///
    /// # Errors
    /// As [`Settings::read`].
    pub fn read_settings(&self) -> Result<Settings> {
        read_settings(&self.config())
    }
}

/// Reads a file of settings. Where it is that of a run, and older than validation, it means what it meant: the best weights were chosen
/// by the test images.
///
/// # Errors
/// As [`Settings::read`].
pub fn read_settings(path: &Path) -> Result<Settings> {
    let mut settings = Settings::read(path)?;
    if settings.val.is_none() && path.with_file_name(LAST).is_file() {
        settings.val = Some(Validation::Test);
    }
    Ok(settings)
}

/// A file that is there as a whole, or as it was before.
fn write_whole(path: &Path, text: &str) -> Result<()> {
    write_atomically(path, |file| file.write_all(text.as_bytes())).map_err(Error::file("writing", path))
}

#[cfg(test)]
mod tests;
