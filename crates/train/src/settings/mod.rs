//! The settings of a training run: from flags, from a file, and those of the whole run.
//!
//! A flag wins over the file, the file over the default. What a run used is written to its folder as a file with the same
//! keys, so `--config runs/NAME/config.toml` repeats it.
//!
//! ```
//! # use train::settings::Settings;
//! let config = Settings { epochs: Some(3), ..Default::default() }.resolve()?;
//! assert_eq!((config.epochs, config.batch_size, config.lr), (3, 64, 0.05));
//! # Ok::<(), train::Error>(())
//! ```

mod define;
mod fallback;
mod kinds;
mod range;
mod row;
mod rows;

pub use kinds::{DeviceKind, OptimizerKind, ScheduleKind};
pub use rows::{Config, Settings};

use crate::augmentation::Augmentation;
use crate::data::{Dataset, builtin};
use crate::error::{Error, Result};
use fallback::Basis;
use rows::ROWS;
use std::path::Path;

impl Settings {
    /// The settings in a TOML file.
    ///
    /// # Errors
    /// If it cannot be read, is not TOML, or has an unknown key or value.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::file("reading", path))?;
        let table: toml::Table = toml::from_str(&text).map_err(|e| {
            let line = e.span().map_or(1, |s| text[..s.start].matches('\n').count() + 1);
            Error::content(path, format!("line {line}: {}", e.message()))
        })?;
        let mut settings = Self::default();
        // Key by key, so that a message can name the key.
        for (key, value) in table {
            let key = key.replace('_', "-");
            let keys: Vec<String> = ROWS.iter().map(row::Row::key).collect();
            if !keys.contains(&key) {
                return Err(Error::content(path, format!("there is no setting `{key}`; there are: {}", keys.join(", "))));
            }
            let one: toml::Table = [(key.clone(), value)].into_iter().collect();
            let one: Self =
                one.try_into().map_err(|e: toml::de::Error| Error::content(path, format!("`{key}`: {}", e.message())))?;
            settings = one.or(settings);
        }
        Ok(settings)
    }

    /// Every setting, with defaults for what is not given.
    ///
    /// # Errors
    /// If one is out of range, or does not go with another.
    pub fn resolve(self) -> Result<Config> {
        self.check_ranges()?;
        let basis = Basis {
            builtin: self.data.as_deref().is_none_or(|data| data == builtin::NAME),
            optimizer: self.optimizer.unwrap_or_default(),
        };
        let config = self.fill(&basis);
        config.check()?;
        Ok(config)
    }

    /// Refuses what may not be given where a run is continued.
    ///
    /// # Errors
    /// If one of these is fixed by the run.
    pub fn check_resume(&self) -> Result<()> {
        match self.given().find(|row| !row.may_be_given_again()) {
            None => Ok(()),
            Some(row) => Error::setting(format!(
                "--resume continues with the run's own settings; {} cannot change (only {} can)",
                row.flag(),
                Self::flags_of_resume()
            )),
        }
    }

    /// The flags that may be given with `--resume`, as in `--epochs, --device and --max-steps`.
    pub fn flags_of_resume() -> String {
        let flags: Vec<String> = ROWS.iter().filter(|row| row.may_be_given_again()).map(row::Row::flag).collect();
        let (last, rest) = flags.split_last().expect("some may change");
        format!("{} and {last}", rest.join(", "))
    }
}

impl Config {
    /// What must hold between settings.
    fn check(&self) -> Result<()> {
        if self.lenient == Some(true) && self.weights.is_none() {
            return Error::setting("--lenient says how --weights is read: give --weights FILE too");
        }
        if self.warmup > 0 && self.schedule == ScheduleKind::OneCycle {
            return Error::setting(format!(
                "--warmup {}: the schedule one-cycle has a rise of its own; name another --schedule, or leave --warmup out",
                self.warmup
            ));
        }
        let (parts, batch) = (self.accumulate, self.batch_size);
        if parts == 0 || !batch.is_multiple_of(parts as usize) {
            return range::refuse("accumulate", parts, &format!("a divisor of the batch of {batch}"));
        }
        Augmentation::parse(&self.augment, false).map(|_| ())
    }

    /// Replaces `auto` by what fits the data set.
    pub fn settle(&mut self, data: &Dataset) {
        if self.augment == "auto" {
            // Crops cost a short run more than they give: 5 epochs see too little of each image to need them.
            self.augment = match (data.name.starts_with("CIFAR"), self.epochs) {
                (false, _) => "none",
                (true, ..10) => "flip",
                (true, _) => "flip,crop",
            }
            .to_owned();
        }
    }

    /// What is done to the training images.
    ///
    /// # Errors
    /// If `augment` is not a list of known words.
    pub fn augmentation(&self) -> Result<Augmentation> {
        Augmentation::parse(&self.augment, true)
    }
}

#[cfg(test)]
mod tests;
