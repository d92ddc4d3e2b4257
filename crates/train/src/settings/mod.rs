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

mod data_set;
mod define;
mod fallback;
mod kinds;
mod range;
mod row;
mod rows;

pub use kinds::{ClassWeights, DeviceKind, LossKind, OptimizerKind, PrecisionKind, ScheduleKind, TestImages, Validation, Warmup};
pub use rows::{Config, Settings};

use crate::augmentation::Augmentation;
use crate::data::builtin;
use crate::error::{Error, Result};
use crate::file;
use crate::model;
use fallback::Basis;
use nn::{Net, Precision};
use rows::ROWS;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf, absolute};

impl Settings {
    /// The settings in a TOML file.
    ///
    /// # Errors
    /// If it cannot be read, is not TOML, or has an unknown key or value.
    pub fn read(path: &Path) -> Result<Self> {
        Self::of_table(path, table_of(path)?)
    }

    /// The settings in `text`, which stands in `path`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(crate) fn of_text(path: &Path, text: &str) -> Result<Self> {
        Self::of_table(path, table_in(path, text)?)
    }

    /// The settings in a table that is all of a file, or a part of it.
    ///
    /// # Errors
    /// If it has an unknown key or value.
    pub(crate) fn of_table(path: &Path, table: toml::Table) -> Result<Self> {
        let (mut settings, mut seen) = (Self::default(), BTreeSet::new());
        let keys: Vec<String> = ROWS.iter().map(row::Row::key).collect();
        // Key by key, so that a message can name the key.
        for (key, value) in table {
            let key = key.replace('_', "-");
            if !keys.contains(&key) {
                return Err(Error::content(path, format!("there is no setting `{key}`; there are: {}", keys.join(", "))));
            }
            if !seen.insert(key.clone()) {
                return Err(Error::content(path, format!("`{key}` is given twice, once with an underscore; leave one out")));
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

    /// These settings, and those of a file where these say nothing. A data set that is named here, or is read or
    /// split in another way, need not be the file's.
    pub fn over(self, mut file: Self) -> Self {
        let another = self.data.is_some() || self.val.is_some() || self.test.is_some() || self.image_size.is_some();
        // Where its images lie decides what the fingerprint is of.
        if another || self.in_memory.is_some() || self.fit.is_some() || self.background.is_some() || self.skip_bad.is_some() {
            file.data_fingerprint = None;
        }
        self.or(file)
    }

    /// The flags that may be given with `--resume`, as in `--epochs, --device and --max-steps`.
    pub fn flags_of_resume() -> String {
        let flags: Vec<String> = ROWS.iter().filter(|row| row.may_be_given_again()).map(row::Row::flag).collect();
        let (last, rest) = flags.split_last().expect("some may change");
        format!("{} and {last}", rest.join(", "))
    }
}

/// What a TOML file holds.
///
/// # Errors
/// If it cannot be read, or is not TOML.
pub(crate) fn table_of(path: &Path) -> Result<toml::Table> {
    table_in(path, &file::read_text(path).map_err(Error::file("reading", path))?)
}

fn table_in(path: &Path, text: &str) -> Result<toml::Table> {
    toml::from_str(text).map_err(|e| {
        let line = e.span().map_or(1, |s| text[..s.start].matches('\n').count() + 1);
        Error::content(path, format!("line {line}: {}", e.message()))
    })
}

impl Config {
    /// What must hold between settings.
    fn check(&self) -> Result<()> {
        if self.lenient == Some(true) && self.weights.is_none() {
            return Error::setting("--lenient says how --weights is read: give --weights FILE too");
        }
        if !self.warmup.is_none() && self.schedule == ScheduleKind::OneCycle {
            return Error::setting(format!(
                "--warmup {}: the schedule one-cycle has a rise of its own; name another --schedule, or leave --warmup out",
                self.warmup
            ));
        }
        if self.nesterov.is_some() && !matches!(self.optimizer, OptimizerKind::Sgd | OptimizerKind::Muon) {
            return Error::setting(format!("--nesterov is a way of sgd and muon; --optimizer {} has none", self.optimizer));
        }
        if self.patience.is_some() && (self.val == Some(Validation::None) || self.test_images == Some(0)) {
            return Error::setting(
                "--patience waits for a better score of the validation images: leave --val none and --test-images 0 out",
            );
        }
        if self.strip_prefix.is_some() && self.weights.is_none() {
            return Error::setting("--strip-prefix says how --weights is read: give --weights FILE too");
        }
        for (name, path) in [("out", Some(&self.out)), ("weights", self.weights.as_ref()), ("cache", self.cache.as_ref())] {
            if let Some(path) = path.filter(|path| path.to_str().is_none()) {
                return Error::setting(format!("--{name} {}: config.toml can hold no path that is not UTF-8", path.display()));
            }
        }
        let (parts, batch) = (self.accumulate, self.batch_size);
        if parts == 0 || !batch.is_multiple_of(parts as usize) {
            return range::refuse("accumulate", parts, &format!("a divisor of the batch of {batch}"));
        }
        self.rate_factors()?;
        Augmentation::parse(&self.augment, false).map(|_| ())
    }

    /// The same wherever it is read from: paths that begin at the present folder begin at the root.
    pub fn anchored(&self) -> Self {
        let whole = |path: &Path| absolute(path).unwrap_or_else(|_| path.to_owned());
        // TOML holds UTF-8 alone: below a folder of another name a path stays as it was given.
        let path = |path: &PathBuf| Some(whole(path)).filter(|path| path.to_str().is_some()).unwrap_or_else(|| path.clone());
        let text = |text: &String| whole(Path::new(text)).to_str().map_or_else(|| text.clone(), str::to_owned);
        // The built-in set is no path, nor is the name of images that a program had.
        let is_path = self.data != builtin::NAME && Path::new(&self.data).exists();
        Self {
            data: if is_path { text(&self.data) } else { self.data.clone() },
            model: if model::is_file(&self.model) { text(&self.model) } else { self.model.clone() },
            weights: self.weights.as_ref().map(path),
            cache: self.cache.as_ref().map(path),
            out: path(&self.out),
            ..self.clone()
        }
    }

    /// Whether a run of these settings, as its folder has them, learned from images that were no data set of the command's: its name is
    /// no path then.
    pub fn is_of_a_program(&self) -> bool {
        self.data != builtin::NAME && Path::new(&self.data).is_relative() && !Path::new(&self.data).exists()
    }

    /// What the factors of products are rounded to.
    pub(crate) fn precision(&self) -> Precision {
        self.precision.map_or(Precision::F32, Precision::from)
    }

    /// The patterns of the keys that are not learned.
    pub fn frozen(&self) -> impl Iterator<Item = &str> {
        self.freeze.iter().flat_map(|list| list.split(',')).map(str::trim)
    }

    /// A network that keeps the activations that it is to keep.
    pub(crate) fn with_segments(&self, net: Net) -> Net {
        let layers = net.children().len();
        let segments = match self.checkpoint_activations {
            0 => (layers as f64).sqrt().round().max(1.0) as usize,
            segments => segments.min(layers.max(1)),
        };
        net.checkpoint_activations(segments)
    }

    /// Patterns of keys, and what the learning rate of these parameters is multiplied by.
    ///
    /// # Errors
    /// If `lr_scale` is not a list of them.
    pub fn rate_factors(&self) -> Result<Vec<(&str, f32)>> {
        let mut factors = Vec::new();
        for text in self.lr_scale.iter().flat_map(|list| list.split(',')) {
            let parted = text.split_once('=').and_then(|(keys, factor)| Some((keys.trim(), factor.trim().parse::<f32>().ok()?)));
            match parted {
                // A rate of 0 would learn nothing at the full cost.
                Some((keys, factor)) if factor.is_finite() && factor > 0.0 => factors.push((keys, factor)),
                _ => {
                    return Error::setting(format!(
                        "--lr-scale {text}: keys and a factor above 0 are wanted, as in layer1.*=0.1; --freeze leaves them as they are"
                    ));
                }
            }
        }
        Ok(factors)
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
