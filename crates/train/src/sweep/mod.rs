//! Many runs that differ in some settings, and the best of them.
//!
//! Each is an ordinary run in an ordinary folder below that of the sweep; its settings are a function of the sweep's file and of its
//! number. What has been done is read from these folders: a sweep that was ended in whatever way goes on by being started again.
//!
//! Of halving, a run that goes on is trained anew with its larger number of epochs. The learning rate of most schedules depends on how
//! long a run is: one that has come to its end has nearly no rate left, and a longer one put after it would not be the run that
//! `wgrad train` makes of these settings. All of the rungs together take as many epochs as the last one times the number of rungs; to go
//! on instead would save one part in `eta` of those after the first.

mod page;
mod plan;
mod trial;
mod values;

pub use trial::Trial;

use crate::console::{Console, counted};
use crate::error::{Error, Result};
use crate::file::{self, read_text};
use crate::run_folder::{Lock, REPORT};
use crate::settings::Settings;
use crate::trainer;
use gpu_core::Device;
use nn::checkpoint::write_atomically;
use plan::{Plan, Rung};
use serde::Serialize;
use std::cmp::Ordering;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use trial::Trials;

/// The sweep's file, in its folder.
const PLAN: &str = "sweep.toml";

/// What a sweep is asked for.
#[derive(Debug)]
pub struct Order<'a> {
    /// Its file.
    pub plan: &'a Path,
    /// The folder in which its own is made.
    pub out: &'a Path,
    /// The name of its own folder; without one, that of the file.
    pub name: Option<&'a str>,
    /// Set from outside to end it after the step under way.
    pub stop: &'a AtomicBool,
}

/// What a sweep has come to.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Its folder.
    #[serde(serialize_with = "file::as_text")]
    pub sweep: PathBuf,
    /// The runs that are done, the best first: of halving, those that went further before the others.
    pub trials: Vec<Trial>,
    /// How many runs there are when all are done.
    pub runs: u64,
    /// The settings that were searched.
    pub search: Vec<String>,
    /// Whether it was ended from outside.
    pub interrupted: bool,
}

/// How many runs the file of a sweep asks for, if it is right: nothing is trained.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("sweep.toml");
/// std::fs::write(&file, "method = \"halving\"\nruns = 9\n[search]\nlr = { min = 0.001, max = 0.1, log = true }")?;
/// assert_eq!(train::sweep::runs_of(&file)?, 9 + 3 + 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If it cannot be read, a key or a value is none that it may have, or the settings of a run are none.
pub fn runs_of(file: &Path) -> Result<u64> {
    Ok(Plan::read(file)?.runs())
}

/// Does the runs of a sweep that are not done yet.
///
/// # Errors
/// A bad file, before anything is written; what ends a run, but for numbers that are not finite.
pub fn run(order: &Order<'_>, console: &Console) -> Result<Outcome> {
    let plan = Plan::read(order.plan)?;
    let folder = order.out.join(name(order)?);
    let (_lock, device) = begun(order.plan, &plan, &folder, console)?;
    let rungs = plan.rungs();
    let runs = plan.runs();
    console.say(&format!("{} in {}", counted(runs, "run"), folder.display()));
    let mut trials = Trials { file: order.plan, plan: &plan, folder: &folder, device: &device, stop: order.stop, runs, done: 0 };
    let (mut found, mut interrupted) = (Vec::<Trial>::new(), false);
    'rungs: for (at, rung) in rungs.iter().enumerate() {
        for number in chosen(&found, at, rung) {
            let Some(trial) = trials.trained(number, rung.epochs, at, console)? else {
                interrupted = true;
                break 'rungs;
            };
            console.say(&trial.line());
            found.push(trial);
            found.sort_by(order_of);
            page::write(&plan, &folder, &found, &folder.join(REPORT))?;
        }
    }
    let search = plan.search.iter().map(|(key, _)| key.clone()).collect();
    Ok(Outcome { sweep: folder, trials: found, runs, search, interrupted })
}

/// The numbers of the configurations of a rung: all, or the best of the one before, in their order.
fn chosen(found: &[Trial], at: usize, rung: &Rung) -> Vec<u64> {
    let Some(before) = at.checked_sub(1) else { return (1..=rung.configurations).collect() };
    let best = found.iter().filter(|trial| trial.rung == before && trial.diverged.is_none());
    let mut numbers: Vec<u64> = best.take(rung.configurations as usize).map(|trial| trial.number).collect();
    numbers.sort_unstable();
    numbers
}

/// The best first; what diverged comes last, and of two that are alike the one with the lower number first.
fn order_of(a: &Trial, b: &Trial) -> Ordering {
    let diverged = a.diverged.is_some().cmp(&b.diverged.is_some());
    diverged.then(b.rung.cmp(&a.rung)).then(b.score.total_cmp(&a.score)).then(a.number.cmp(&b.number))
}

/// What the folder of a sweep is called.
fn name(order: &Order<'_>) -> Result<String> {
    let stem = order.plan.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = order.name.map(str::to_owned).or(stem).unwrap_or_default();
    // As that of a run.
    Settings { name: Some(name.clone()), ..Settings::default() }.check_ranges()?;
    Ok(name)
}

/// Makes the folder, or takes that of the same sweep; and the device that all runs are on.
fn begun(file: &Path, plan: &Plan, folder: &Path, console: &Console) -> Result<(Lock, Device)> {
    let (kept, first) = (folder.join(PLAN), plan.settings(file, 1, None)?);
    let is_new = !kept.is_file();
    if is_new {
        expect_empty(folder)?;
    } else if !plan.goes_on(&Plan::read(&kept)?) {
        return Err(Error::content(folder, format!("this folder is of a sweep with another {PLAN}; give another --name")));
    }
    // What a run cannot begin with, before anything is written.
    let config = if is_new { trainer::resolved(&first, console)? } else { first.resolve()? };
    if is_new && config.judged_by().is_none() {
        return Err(Error::content(file, "`val`: a sweep chooses by the validation images, and there are none"));
    }
    let device = trainer::open_device(config.device, console)?;
    fs::create_dir_all(folder).map_err(Error::file("making", folder))?;
    let lock = Lock::acquire(folder)?;
    nn::checkpoint::sweep(folder).map_err(Error::file("sweeping", folder))?;
    let text = read_text(file).map_err(Error::file("reading", file))?;
    write_atomically(&kept, |file| file.write_all(text.as_bytes())).map_err(Error::file("writing", &kept))?;
    Ok((lock, device))
}

/// Refuses a folder that holds something: names that begin with a dot are of a process that was killed.
fn expect_empty(folder: &Path) -> Result<()> {
    let Ok(mut entries) = fs::read_dir(folder) else {
        return match folder.symlink_metadata() {
            Ok(_) => {
                Err(Error::content(folder, "there is something of this name, and it is no folder of a sweep; give another --name"))
            }
            Err(_) => Ok(()),
        };
    };
    let is_hidden =
        |entry: std::io::Result<fs::DirEntry>| entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with('.'));
    match entries.all(is_hidden) {
        true => Ok(()),
        false => Err(Error::content(folder, format!("this folder is of no sweep (it has no {PLAN}); give another --name"))),
    }
}

#[cfg(test)]
mod tests;
