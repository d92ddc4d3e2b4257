//! The log of a run, `metrics.jsonl`, and what goes the same way to TensorBoard.

use super::events::EventFile;
use super::write_whole;
use crate::error::{Error, Result};
use crate::file;
use nn::checkpoint::read_plain;
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What a hand has made of the schedule's rate, in the line of the change.
pub const LR_BY_HAND: &str = "lr_by_hand";

/// The log of a run: one JSON object a line, in the order of the steps.
#[derive(Debug)]
pub struct MetricsLog {
    path: PathBuf,
    /// None where another process writes it.
    file: Option<File>,
    /// The step after which this process began.
    begun: u64,
    events: Option<EventFile>,
}

impl MetricsLog {
    /// Begins a log.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub fn create(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().append(true).create_new(true).open(path).map_err(Error::file("making", path))?;
        Ok(Self { path: path.into(), file: Some(file), begun: 0, events: None })
    }

    /// Continues a log after `step`: lines of later steps, and a line cut short, belong to what is done again. A line of a rate that was
    /// changed by hand is kept where the change is one of `by_hand`, by the steps before it and what it came to in all.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn resume(path: &Path, step: u64, by_hand: &[(u64, f32)]) -> Result<Self> {
        let text = match read_plain(path, file::DATA) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => String::new(),
            Err(e) => return Err(Error::file("reading", path)(e)),
        };
        // The line of a part of an epoch is told where a run was stopped, and now it goes on.
        // So is a test before the end.
        let is_of = |v: &Value, s| v[LR_BY_HAND].as_f64().is_none_or(|in_all| by_hand.contains(&(s, in_all as f32)));
        let is_kept = |v: Value| {
            let is_done = v["step"].as_u64().is_some_and(|s| s <= step && is_of(&v, s));
            is_done && v["epoch_done"] != false && v.get("test").is_none()
        };
        let is_done = |line: &&str| serde_json::from_str::<Value>(line).is_ok_and(is_kept);
        let kept: String = text.lines().filter(is_done).flat_map(|line| [line, "\n"]).collect();
        if kept != text {
            write_whole(path, &kept)?;
        }
        let file = OpenOptions::new().append(true).create(true).open(path).map_err(Error::file("opening", path))?;
        Ok(Self { path: path.into(), file: Some(file), begun: step, events: None })
    }

    /// A log that another process writes.
    pub fn of_another() -> Self {
        Self { path: PathBuf::new(), file: None, begun: 0, events: None }
    }

    /// Writes an event file for TensorBoard beside the log, of the lines from now on.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn with_events(mut self) -> Result<Self> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        self.events = Some(EventFile::create(folder, self.begun)?);
        Ok(self)
    }

    /// Adds a line.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn add(&mut self, line: &Value) -> Result<()> {
        if let Some(file) = &mut self.file {
            file.write_all(format!("{line}\n").as_bytes()).map_err(Error::file("writing", &self.path))?;
        }
        self.events.as_mut().map_or(Ok(()), |events| events.add(line))
    }
}
