//! The settings of a training run: from flags, from a file, and resolved.
//!
//! A flag wins over the file, the file over the default. What a run used is written to its folder as a file with the same
//! keys, so `--config runs/NAME/config.toml` repeats it.

mod kinds;

pub use kinds::{DeviceKind, OptimizerKind, ScheduleKind};

use crate::augmentation::Augmentation;
use crate::data::Dataset;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The settings that were given; the rest is resolved.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Settings {
    /// Data set: the built-in one, or a folder with CIFAR-10, CIFAR-100 or MNIST [default: builtin]
    #[arg(long, value_name = "builtin|DIR")]
    pub data: Option<String>,
    /// Network: small-cnn, resnet20, lenet, ..., or a layer list (FILE.json or FILE.toml) [default: small-cnn]
    #[arg(long, value_name = "NAME|FILE")]
    pub model: Option<String>,
    /// Begin with the weights of a PyTorch state dict in this safetensors file: torchvision's names, or positions
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// Take from --weights what fits, and draw the rest, such as another head
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "true|false")]
    pub lenient: Option<bool>,
    /// Passes over the training images [default: 1 for builtin, else 5]
    #[arg(long, value_name = "N")]
    pub epochs: Option<u64>,
    /// Images in a step [default: 64]
    #[arg(long, value_name = "N")]
    pub batch_size: Option<usize>,
    /// Update rule [default: sgd]
    #[arg(long, value_enum)]
    pub optimizer: Option<OptimizerKind>,
    /// Learning rate, the highest one of the schedule [default: 0.05 for sgd, 0.002 for adam and adamw, 0.001 for rmsprop, 0.01 for
    /// adagrad, 0.0003 for lion, 0.02 for muon]
    #[arg(long, value_name = "RATE")]
    pub lr: Option<f64>,
    /// Momentum [default: 0.9 for sgd, 0 for rmsprop, 0.95 for muon; the others have none]
    #[arg(long, value_name = "M")]
    pub momentum: Option<f64>,
    /// Weight decay [default: 0.0005 for sgd, 0.01 for adamw and muon, 0.1 for lion, else 0]
    #[arg(long, value_name = "D")]
    pub weight_decay: Option<f64>,
    /// Largest norm of all gradients together [default: none]
    #[arg(long, value_name = "NORM")]
    pub clip_norm: Option<f64>,
    /// Keep a moving average of the weights with this decay, measure it and save it as the best [default: none]
    #[arg(long, value_name = "DECAY")]
    pub ema: Option<f64>,
    /// Compute each step in so many parts of the batch, to save memory [default: 1]
    #[arg(long, value_name = "N")]
    pub accumulate: Option<u32>,
    /// Keep activations only between so many segments of the network and compute the others again, to save memory; without a number,
    /// as many as the root of the number of layers [default: 1]
    #[arg(long, num_args = 0..=1, default_missing_value = "0", value_name = "SEGMENTS")]
    pub checkpoint_activations: Option<usize>,
    /// Learning rate over the steps [default: one-cycle]
    #[arg(long, value_enum)]
    pub schedule: Option<ScheduleKind>,
    /// Steps over which the rate first rises from zero [default: 0]
    #[arg(long, value_name = "STEPS")]
    pub warmup: Option<u64>,
    /// Share of the target that is spread over all classes [default: 0]
    #[arg(long, value_name = "S")]
    pub label_smoothing: Option<f64>,
    /// auto, none, or several of flip,crop,cutout [default: auto: for CIFAR flip, and crop from 10 epochs on; else none]
    #[arg(long, value_name = "LIST")]
    pub augment: Option<String>,
    /// Seed of the weights, the order of the images, augmentation and dropout [default: 0]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,
    /// Where to run [default: auto]
    #[arg(long, value_enum)]
    pub device: Option<DeviceKind>,
    /// Folder that the run's folder is made in [default: runs]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Name of the run's folder [default: DATA-MODEL-NUMBER]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Stop after so many steps in all; the schedule stays that of the whole run
    #[arg(long, value_name = "N")]
    pub max_steps: Option<u64>,
    /// Save a checkpoint every so many steps, and at the end of each epoch [default: 500]
    #[arg(long, value_name = "STEPS")]
    pub save_every: Option<u64>,
    /// Measure on the first so many test images only, 0 for none [default: all]
    #[arg(long, value_name = "N")]
    pub test_images: Option<usize>,
    /// Write loss and accuracy to metrics.jsonl every so many steps [default: 50]
    #[arg(long, value_name = "STEPS")]
    pub log_every: Option<u64>,
}

impl Settings {
    /// The settings in a TOML file.
    ///
    /// # Errors
    /// If it cannot be read, is not TOML, or has a key or value that is not known.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::file("reading", path))?;
        let table: toml::Table = toml::from_str(&text).map_err(|e| {
            let line = e.span().map_or(1, |s| text[..s.start].matches('\n').count() + 1);
            Error::content(path, format!("line {line}: {}", e.message()))
        })?;
        // Key by key, so that a message can name the key.
        let mut settings = toml::Table::new();
        for (key, value) in table {
            let key = key.replace('_', "-");
            if !KEYS.contains(&key.as_str()) {
                return Err(Error::content(path, format!("there is no setting `{key}`; there are: {}", KEYS.join(", "))));
            }
            let one: toml::Table = [(key.clone(), value.clone())].into_iter().collect();
            let checked = one.try_into::<Self>();
            checked.map_err(|e| Error::content(path, format!("`{key}`: {}", e.message())))?;
            settings.insert(key, value);
        }
        settings.try_into().map_err(|e| Error::content(path, e.message()))
    }

    /// These settings, and those of `other` where these say nothing.
    pub fn or(self, other: Self) -> Self {
        Self {
            data: self.data.or(other.data),
            model: self.model.or(other.model),
            weights: self.weights.or(other.weights),
            lenient: self.lenient.or(other.lenient),
            epochs: self.epochs.or(other.epochs),
            batch_size: self.batch_size.or(other.batch_size),
            optimizer: self.optimizer.or(other.optimizer),
            lr: self.lr.or(other.lr),
            momentum: self.momentum.or(other.momentum),
            weight_decay: self.weight_decay.or(other.weight_decay),
            clip_norm: self.clip_norm.or(other.clip_norm),
            ema: self.ema.or(other.ema),
            accumulate: self.accumulate.or(other.accumulate),
            checkpoint_activations: self.checkpoint_activations.or(other.checkpoint_activations),
            schedule: self.schedule.or(other.schedule),
            warmup: self.warmup.or(other.warmup),
            label_smoothing: self.label_smoothing.or(other.label_smoothing),
            augment: self.augment.or(other.augment),
            seed: self.seed.or(other.seed),
            device: self.device.or(other.device),
            out: self.out.or(other.out),
            name: self.name.or(other.name),
            max_steps: self.max_steps.or(other.max_steps),
            test_images: self.test_images.or(other.test_images),
            save_every: self.save_every.or(other.save_every),
            log_every: self.log_every.or(other.log_every),
        }
    }

    /// The flags that are given, by name: what `--resume` does not allow.
    pub fn given(&self) -> Vec<String> {
        let table = toml::Table::try_from(self).expect("settings are a table");
        table.keys().map(|key| format!("--{key}")).collect()
    }

    /// Every setting, with defaults for what is not given.
    ///
    /// # Errors
    /// If one is out of range.
    pub fn resolve(self) -> Result<Config> {
        let optimizer = self.optimizer.unwrap_or(OptimizerKind::Sgd);
        let (lr, weight_decay) = optimizer.defaults();
        let data = self.data.unwrap_or_else(|| BUILTIN.to_owned());
        let config = Config {
            epochs: self.epochs.unwrap_or(if data == BUILTIN { 1 } else { 5 }),
            data,
            model: self.model.unwrap_or_else(|| "small-cnn".to_owned()),
            weights: self.weights,
            lenient: self.lenient.unwrap_or(false),
            batch_size: self.batch_size.unwrap_or(64),
            optimizer,
            lr: self.lr.unwrap_or(lr),
            momentum: self.momentum.unwrap_or(optimizer.momentum()),
            weight_decay: self.weight_decay.unwrap_or(weight_decay),
            clip_norm: self.clip_norm,
            ema: self.ema,
            accumulate: self.accumulate.unwrap_or(1),
            checkpoint_activations: self.checkpoint_activations.unwrap_or(1),
            schedule: self.schedule.unwrap_or(ScheduleKind::OneCycle),
            warmup: self.warmup.unwrap_or(0),
            label_smoothing: self.label_smoothing.unwrap_or(0.0),
            augment: self.augment.unwrap_or_else(|| "auto".to_owned()),
            seed: self.seed.unwrap_or(0),
            device: self.device.unwrap_or(DeviceKind::Auto),
            out: self.out.unwrap_or_else(|| PathBuf::from("runs")),
            name: self.name,
            max_steps: self.max_steps,
            test_images: self.test_images,
            save_every: self.save_every.unwrap_or(500),
            log_every: self.log_every.unwrap_or(50),
        };
        config.check()?;
        Ok(config)
    }
}

/// The name of the data set that is made by code.
pub const BUILTIN: &str = "builtin";

/// The keys of a settings file.
const KEYS: [&str; 26] = [
    "data",
    "model",
    "weights",
    "lenient",
    "epochs",
    "batch-size",
    "optimizer",
    "lr",
    "momentum",
    "weight-decay",
    "clip-norm",
    "ema",
    "accumulate",
    "checkpoint-activations",
    "schedule",
    "warmup",
    "label-smoothing",
    "augment",
    "seed",
    "device",
    "out",
    "name",
    "max-steps",
    "test-images",
    "save-every",
    "log-every",
];

/// Every setting of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the fields are those of Settings, where each is described")]
pub struct Config {
    pub data: String,
    pub model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lenient: bool,
    pub epochs: u64,
    pub batch_size: usize,
    pub optimizer: OptimizerKind,
    pub lr: f64,
    pub momentum: f64,
    pub weight_decay: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ema: Option<f64>,
    pub accumulate: u32,
    pub checkpoint_activations: usize,
    pub schedule: ScheduleKind,
    pub warmup: u64,
    pub label_smoothing: f64,
    pub augment: String,
    pub seed: u64,
    pub device: DeviceKind,
    pub out: PathBuf,
    // A second run cannot have the same name: the file must stay usable for --config.
    #[serde(skip)]
    pub name: Option<String>,
    // Of one command, not of the run: --resume goes on.
    #[serde(skip)]
    pub max_steps: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_images: Option<usize>,
    pub save_every: u64,
    pub log_every: u64,
}

impl Config {
    fn check(&self) -> Result<()> {
        let range = |ok: bool, flag: &str, value: &dyn std::fmt::Display, wanted: &str| match ok {
            true => Ok(()),
            false => Error::setting(format!("--{flag} {value} is out of range; {wanted} is wanted")),
        };
        if self.lenient && self.weights.is_none() {
            return Error::setting("--lenient says how --weights is read: give --weights FILE too");
        }
        range(self.epochs >= 1, "epochs", &self.epochs, "1 or more")?;
        range(self.batch_size >= 1, "batch-size", &self.batch_size, "1 or more")?;
        range(self.lr.is_finite() && self.lr > 0.0, "lr", &self.lr, "a number above 0")?;
        range((0.0..1.0).contains(&self.momentum), "momentum", &self.momentum, "0 or more and below 1")?;
        let decay = self.weight_decay;
        range(decay.is_finite() && decay >= 0.0, "weight-decay", &decay, "a number of 0 or more")?;
        let norm = self.clip_norm.unwrap_or(1.0);
        range(norm.is_finite() && norm > 0.0, "clip-norm", &norm, "a number above 0")?;
        let ema = self.ema.unwrap_or(0.0);
        range((0.0..1.0).contains(&ema), "ema", &ema, "0 or more and below 1")?;
        let (parts, batch) = (self.accumulate, self.batch_size);
        range(
            parts >= 1 && batch.is_multiple_of(parts as usize),
            "accumulate",
            &parts,
            &format!("a divisor of the batch of {batch}"),
        )?;
        range((0.0..1.0).contains(&self.label_smoothing), "label-smoothing", &self.label_smoothing, "0 or more and below 1")?;
        range(self.max_steps != Some(0), "max-steps", &0, "1 or more")?;
        range(self.save_every >= 1, "save-every", &self.save_every, "1 or more")?;
        range(self.log_every >= 1, "log-every", &self.log_every, "1 or more")?;
        if let Some(name) = &self.name {
            let plain = !name.is_empty() && !name.contains(['/', '\\']) && name != "." && name != "..";
            range(plain, "name", name, "a folder's name without a path (--out gives the path)")?;
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

    /// The file of a run's folder.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a config is a table")
    }
}

#[cfg(test)]
mod tests;
