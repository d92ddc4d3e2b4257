//! `wgrad train`.

use super::answer::{Ending, Json, say, say_json};
use super::complain;
use super::signals::stop_on_signals;
use super::tui::on_screen;
use clap::Args;
use gpu_core::Device;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Instant;
use train::console::Console;
use train::error::one_line;
use train::peers::{self, Peers, launched};
use train::run_folder::{CONFIG, read_settings};
use train::settings::{DeviceKind, Settings};
use train::trainer::{self, Order, Outcome};
use train::{Error, Result};

/// A data set as a word of its own, behind the word of a command: alone it could not be told from a command that is misspelt.
#[derive(Args)]
pub struct DataSet {
    /// Data set, as --data: builtin, a folder, an archive of CIFAR, or a table of pictures (.csv)
    #[arg(value_name = "DIR|FILE", conflicts_with = "data")]
    data_set: Option<String>,
}

/// The settings of a run that begins.
#[derive(Args)]
pub struct Given {
    #[command(flatten)]
    settings: Settings,
    /// Settings from a TOML file with the same keys as the flags; flags win
    #[arg(long, value_name = "FILE.toml")]
    config: Option<PathBuf>,
}

impl Given {
    /// With the data set that stands there as a word.
    pub fn on(mut self, data: DataSet) -> Self {
        self.settings.data = data.data_set.or(self.settings.data);
        self
    }

    /// Those that were given, over those of a file.
    pub fn settings(&self) -> Result<Settings> {
        let given = self.settings.clone();
        Ok(match &self.config {
            Some(path) => given.over(read_settings(path)?),
            None => given,
        })
    }
}

/// The flags behind the word `train`.
#[derive(Args)]
pub struct OnData {
    #[command(flatten)]
    data_set: DataSet,
    #[command(flatten)]
    flags: Flags,
}

impl OnData {
    pub fn flags(self) -> Flags {
        Flags { given: self.flags.given.on(self.data_set), ..self.flags }
    }
}

#[derive(Args)]
pub struct Flags {
    #[command(flatten)]
    given: Given,
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with = "config",
        help = format!("Continue the run in this folder; only {} may be given as well", Settings::flags_of_resume()),
    )]
    resume: Option<PathBuf>,
    /// Show the run on the whole screen, with keys
    ///
    /// q ends it as Ctrl-C does, s saves it, p has it wait and go on, + raises the learning rate by a tenth and - takes that back.
    #[arg(long, conflicts_with = "json")]
    tui: bool,
    /// Train on so many GPUs of this machine at once, to the bits of one; for several machines see `mpirun -n 8 wgrad train`
    #[arg(long, value_name = "N", value_parser = gpus, conflicts_with = "tui", hide_short_help = true)]
    gpus: Option<usize>,
    #[command(flatten)]
    json: Json,
}

fn gpus(text: &str) -> std::result::Result<usize, String> {
    match text.parse() {
        Ok(gpus @ 1..=1024) => Ok(gpus),
        _ => Err("a number from 1 to 1024 is wanted".to_owned()),
    }
}

/// What `wgrad config` prints: the settings of such a run.
pub fn show(flags: &Flags) -> Result<Ending> {
    let console = Console::new(true);
    let config = match &flags.resume {
        None => trainer::resolved(&flags.given.settings()?, &console)?,
        Some(run) => {
            flags.given.settings.check_resume()?;
            flags.given.settings.clone().or(read_settings(&run.join(CONFIG))?).resolve()?
        }
    };
    if flags.json.json {
        say_json(&config.to_json())?;
    } else {
        say(config.to_toml().trim_end())?;
    }
    Ok(Ending::Done)
}

pub fn run(flags: Flags, began: Instant) -> Result<Ending> {
    let launch = launched();
    if let Some(gpus) = flags.gpus {
        return match launch {
            None => on_gpus(flags, gpus, began),
            Some(_) => Err(Error::Setting("--gpus is for one process: a launcher starts one for each GPU, so leave it out".into())),
        };
    }
    let peers = launch.map_or_else(|| Ok(Peers::alone()), |launch| launch.join())?;
    match run_among(flags, began, peers.clone()) {
        Err(error) if !peers.is_alone() => Ok(end(&error, &peers)),
        other => {
            peers.leave(None);
            other
        }
    }
}

/// Tells an error before it ends all processes: what all of them met, by the first.
fn end(error: &Error, peers: &Peers) -> Ending {
    match error {
        Error::Peer { .. } if !peers.is_first() => {}
        error if peers.is_first() => complain(&one_line(error)),
        error => complain(&format!("process {}: {}", peers.rank(), one_line(error))),
    }
    peers.leave(Some(error.exit_code()));
    Ending::Told(error.exit_code())
}

/// The part of one of those that train together.
fn run_among(flags: Flags, began: Instant, peers: Peers) -> Result<Ending> {
    let settings = flags.given.settings()?;
    let (is_alone, is_first) = (peers.is_alone(), peers.is_first());
    peers.settle(settings.device != Some(DeviceKind::Cpu))?;
    if flags.tui && !is_alone {
        return Err(Error::Setting("--tui: a screen is for one process; leave it out where several train together".into()));
    }
    let trained = |stop: &AtomicBool, console: &mut Console| {
        let order = Order { settings, resume: flags.resume, data: None, device: None, peers, stop, began };
        trainer::train(order, console)
    };
    if flags.tui {
        return told(&on_screen(trained)?, false);
    }
    let stop = stop_on_signals()?;
    let mut console = if is_first { Console::new(flags.json.json) } else { Console::silent() };
    let outcome = trained(&stop, &mut console)?;
    console.finish()?;
    told(&outcome, flags.json.json && is_first)
}

fn told(outcome: &Outcome, as_json: bool) -> Result<Ending> {
    if as_json {
        say_json(outcome)?;
    }
    Ok(if outcome.interrupted { Ending::Interrupted } else { Ending::Done })
}

/// A thread for each of so many GPUs of this machine.
fn on_gpus(flags: Flags, gpus: usize, began: Instant) -> Result<Ending> {
    let settings = flags.given.settings()?;
    if settings.device == Some(DeviceKind::Cpu) {
        return Err(Error::Setting("--gpus and --device cpu exclude one another".into()));
    }
    let devices = peers::gpus(gpus, settings.device == Some(DeviceKind::Gpu))?;
    let stop = stop_on_signals()?;
    let part = |device: Device, peers: Peers, console: &mut Console| {
        let (settings, resume) = (settings.clone(), flags.resume.clone());
        let order = Order { settings, resume, data: None, device: Some(device), peers: peers.clone(), stop: &stop, began };
        let done = trainer::train(order, console);
        peers.leave(done.as_ref().err().map(Error::exit_code));
        done
    };
    let mut seats = Peers::in_process(gpus).into_iter().zip(devices);
    let (first, device) = seats.next().expect("there is one GPU or more");
    let (ended, others) = thread::scope(|scope| {
        let others: Vec<_> =
            seats.map(|(peers, device)| scope.spawn(|| part(device, peers, &mut Console::silent()).map(drop))).collect();
        let mut console = Console::new(flags.json.json);
        let ended = part(device, first, &mut console).and_then(|outcome| console.finish().map(|()| outcome));
        (ended, others.into_iter().map(|other| other.join().expect("a panic ends the process")).collect::<Vec<_>>())
    });
    // The fault of one, rather than that the others miss it.
    let own = |error: &Error| !matches!(error, Error::Peer { .. });
    match (ended, others.into_iter().filter_map(Result::err).find(own)) {
        (Err(Error::Peer { .. }), Some(error)) => Err(error),
        (ended, _) => told(&ended?, flags.json.json),
    }
}
