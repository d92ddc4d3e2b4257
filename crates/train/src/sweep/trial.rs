//! The runs of a sweep: made, continued, or found as they are.

use super::plan::Plan;
use crate::console::Console;
use crate::error::{Error, Result};
use crate::file::read_text;
use crate::peers::Peers;
use crate::run_folder::Record;
use crate::settings::Settings;
use crate::trainer::{self, Order, Standing};
use gpu_core::Device;
use nn::checkpoint::write_atomically;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// What no folder of a run tells: which ones diverged, and how.
const DIVERGED: &str = "diverged.json";

/// A run of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trial {
    /// The name of its folder.
    pub run: String,
    /// The number of its configuration, counted from 1.
    pub number: u64,
    /// Which of the rungs of halving it is of, counted from 0.
    pub rung: usize,
    /// Epochs done.
    pub epochs: u64,
    /// The values of the settings that are searched.
    pub settings: BTreeMap<String, Value>,
    /// What it is judged by: the best accuracy over the validation images, the best mean IoU where pixels have classes, or the negative loss
    /// of a network that reconstructs. Below all others where it diverged.
    #[serde(skip)]
    pub score: f64,
    /// The best accuracy over the validation images; none of a network that tells no classes.
    pub val_accuracy: Option<f64>,
    /// The lowest loss over the validation images of a network that tells no classes.
    pub val_loss: Option<f64>,
    /// The best mean IoU over the validation images, where pixels have classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val_mean_iou: Option<f64>,
    /// The share of the test images that its best weights recognise.
    pub test_accuracy: Option<f64>,
    /// How it diverged, if it did.
    pub diverged: Option<String>,
    #[serde(skip)]
    pub(super) told: String,
}

impl Trial {
    /// A line of at most 80 columns for a person: the run, how good it is, and what its settings are.
    pub fn line(&self) -> String {
        let score = match (self.val_accuracy.or(self.val_mean_iou), self.val_loss, &self.diverged) {
            (_, _, Some(_)) => "diverged".to_owned(),
            (Some(accuracy), ..) => format!("{:.2} %", 100.0 * accuracy),
            (_, Some(loss), _) => format!("{loss:.5}"),
            _ => String::new(),
        };
        let test = self.test_accuracy.map_or_else(String::new, |accuracy| format!("{:.2} %", 100.0 * accuracy));
        let line = format!("{:<10} {score:>9} {test:>9}  {}", self.run, self.told);
        // To the width of a terminal.
        match line.chars().count() > 80 {
            true => line.chars().take(79).chain(['…']).collect(),
            false => line,
        }
    }
}

/// Makes the runs of a sweep.
pub(super) struct Trials<'a> {
    pub file: &'a Path,
    pub plan: &'a Plan,
    pub folder: &'a Path,
    pub device: &'a Device,
    pub stop: &'a AtomicBool,
    /// How many there are in all, and how many of them were asked for.
    pub runs: u64,
    pub done: u64,
}

impl Trials<'_> {
    /// A run to its end, or as it was found; none if it was ended from outside. One that diverged is the worst.
    ///
    /// # Errors
    /// What else ends a run.
    pub fn trained(&mut self, number: u64, epochs: Option<u64>, rung: usize, console: &Console) -> Result<Option<Trial>> {
        self.done += 1;
        let run = match epochs {
            Some(epochs) if rung > 0 => format!("{number:03}-e{epochs}"),
            _ => format!("{number:03}"),
        };
        let (path, mut diverged) = (self.folder.join(&run), self.diverged()?);
        let settings = self.plan.settings(self.file, number, epochs)?;
        let max_steps = settings.max_steps;
        if !diverged.contains_key(&run)
            && let Some(order) = self.order(&run, &path, settings)?
        {
            let mut bars = Console::of_part(format!("run {} of {}", self.done, self.runs));
            match trainer::train(order, &mut bars) {
                Ok(outcome) if outcome.interrupted => return Ok(None),
                Ok(_) => {}
                Err(
                    e @ (Error::Diverged { .. } | Error::NotFinite { .. } | Error::LossNotFinite(_) | Error::OutputNotFinite(_)),
                ) => {
                    console.note(&format!("{run}: {e}"));
                    diverged.insert(run.clone(), e.to_string());
                    self.note(&diverged)?;
                }
                Err(e) => return Err(e),
            }
        }
        let standing = trainer::standing(&path, max_steps)?;
        self.judged(run, number, rung, &standing, diverged).map(Some)
    }

    /// What is left to do of a run: all, the rest, or nothing.
    fn order(&self, run: &str, path: &Path, settings: Settings) -> Result<Option<Order<'_>>> {
        let (settings, resume): (_, Option<PathBuf>) = match path.exists() {
            false => (Settings { name: Some(run.to_owned()), out: Some(self.folder.to_owned()), ..settings }, None),
            true if trainer::standing(path, settings.max_steps)?.is_over => return Ok(None),
            true => (Settings { max_steps: settings.max_steps, ..Settings::default() }, Some(path.to_owned())),
        };
        Ok(Some(Order {
            settings,
            resume,
            data: None,
            device: Some(self.device.clone()),
            peers: Peers::alone(),
            stop: self.stop,
            began: Instant::now(),
        }))
    }

    fn judged(
        &self,
        run: String,
        number: u64,
        rung: usize,
        standing: &Standing,
        diverged: BTreeMap<String, String>,
    ) -> Result<Trial> {
        let (path, values) = (self.folder.join(&run), self.plan.values(number));
        let diverged = diverged.get(&run).cloned();
        let best = match (standing.best, &diverged) {
            (_, Some(_)) => None,
            (None, None) => {
                return Err(Error::content(
                    &path,
                    "this run has no score: a sweep chooses by whole epochs and their validation images",
                ));
            }
            (best, None) => best,
        };
        let brief = |(key, value): &(String, toml::Value)| match value {
            toml::Value::String(text) => format!("{key}={text}"),
            value => format!("{key}={value}"),
        };
        let told = values.iter().map(brief).collect::<Vec<_>>().join(" ");
        let json = |value: toml::Value| serde_json::to_value(value).expect("a setting is JSON");
        Ok(Trial {
            number,
            rung,
            epochs: standing.epochs,
            settings: values.into_iter().map(|(key, value)| (key, json(value))).collect(),
            score: best.unwrap_or(f64::NEG_INFINITY),
            val_accuracy: best.filter(|_| standing.is_classifier),
            val_loss: best.filter(|_| !standing.is_classifier && !standing.tells_pixels).map(|score| -score),
            val_mean_iou: best.filter(|_| standing.tells_pixels),
            test_accuracy: Record::read(&path)?.test_accuracy().filter(|_| diverged.is_none()),
            diverged,
            told,
            run,
        })
    }

    /// The runs that are known to diverge, and how.
    fn diverged(&self) -> Result<BTreeMap<String, String>> {
        let path = self.folder.join(DIVERGED);
        if !path.is_file() {
            return Ok(BTreeMap::new());
        }
        let text = read_text(&path).map_err(Error::file("reading", &path))?;
        serde_json::from_str(&text).map_err(|e| Error::content(&path, format!("this is no list of runs that diverged: {e}")))
    }

    fn note(&self, diverged: &BTreeMap<String, String>) -> Result<()> {
        let path = self.folder.join(DIVERGED);
        let text = serde_json::to_vec_pretty(diverged).expect("names and sentences are JSON");
        write_atomically(&path, |file| file.write_all(&text)).map_err(Error::file("writing", &path))
    }
}
