//! `wgrad runs`: what has been trained.

use super::answer::{Ending, Json, say, say_json};
use super::columns::cut_front;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::cmp::Ordering;
use std::path::PathBuf;
use train::error::printable_name;
use train::run_folder::{Record, runs_in};
use train::{Error, Result};

#[derive(Args)]
pub struct Flags {
    /// The folder that runs are in
    #[arg(value_name = "DIR", default_value = "runs")]
    folder: PathBuf,
    /// What comes first
    #[arg(long, value_enum, default_value = "name")]
    sort: Sort,
    #[command(flatten)]
    json: Json,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Sort {
    /// By name
    Name,
    /// The best on the validation images first
    Val,
    /// The best on the test images first
    Test,
    /// The lowest training loss first
    Loss,
}

/// A run's line.
struct Line {
    record: Record,
    epoch: Option<u64>,
    loss: Option<f64>,
    val: Option<f64>,
    test: Option<f64>,
}

impl Line {
    fn of(record: Record) -> Self {
        let number = |key: &str| record.last(key).and_then(Value::as_f64);
        let epoch = record.last("epoch").and_then(Value::as_u64);
        let (loss, val) = (number("train_loss"), record.highest("val_accuracy"));
        let test = record.test_accuracy();
        Self { epoch, loss, val, test, record }
    }

    fn setting(&self, key: &str) -> String {
        match self.record.settings.get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        }
    }
}

pub fn run(flags: &Flags) -> Result<Ending> {
    let folders = runs_in(&flags.folder)?;
    if folders.is_empty() {
        return Err(Error::Setting(format!("{}: there are no runs in this folder", flags.folder.display())));
    }
    let mut lines = folders.iter().map(|folder| Record::read(folder).map(Line::of)).collect::<Result<Vec<_>>>()?;
    // What has no figure comes last.
    let highest = |a: Option<f64>, b: Option<f64>| b.partial_cmp(&a).unwrap_or(Ordering::Equal);
    match flags.sort {
        Sort::Name => {}
        Sort::Val => lines.sort_by(|a, b| highest(a.val, b.val)),
        Sort::Test => lines.sort_by(|a, b| highest(a.test, b.test)),
        Sort::Loss => lines.sort_by(|a, b| highest(a.loss.map(|v| -v), b.loss.map(|v| -v))),
    }
    if flags.json.json {
        let object = |line: &Line| {
            let Line { record, epoch, loss, val, test } = line;
            json!({ "name": record.name, "settings": record.settings, "epoch": epoch, "train_loss": loss, "val_accuracy": val, "test_accuracy": test })
        };
        say_json(&json!({ "runs": lines.iter().map(object).collect::<Vec<_>>() }))?;
        return Ok(Ending::Done);
    }
    say(&format!("{:<30} {:<14} {:>9} {:>8} {:>7} {:>7}", "run", "model", "epochs", "loss", "val %", "test %"))?;
    lines.iter().try_for_each(|line| say(&told(line)))?;
    say(&format!(
        "wgrad report {}/NAME ... lays their curves over one another.",
        printable_name(&flags.folder.display().to_string())
    ))?;
    Ok(Ending::Done)
}

fn told(line: &Line) -> String {
    let [name, model] =
        [(&line.record.name, 30), (&line.setting("model"), 14)].map(|(name, width)| cut_front(&printable_name(name), width));
    let epochs = format!("{}/{}", line.epoch.unwrap_or(0), line.setting("epochs"));
    let [val, test] = [line.val, line.test].map(|share| share.map_or_else(String::new, |share| format!("{:.2}", 100.0 * share)));
    let loss = line.loss.map_or_else(String::new, |loss| format!("{loss:.4}"));
    format!("{name:<30} {model:<14} {epochs:>9} {loss:>8} {val:>7} {test:>7}")
}
