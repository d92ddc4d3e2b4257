//! The command line: what is asked for, and how it is answered.

mod bench;
mod devices;
mod eval;
mod predict;
mod summary;
mod train;
mod verify;

use ::train::error::one_line;
use ::train::{Error, Result};
use clap::{Args, Parser, Subcommand};
use serde::Serialize;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Instant, SystemTime};

/// Trains convolutional networks on whatever GPU there is, or on the CPU. Alone, it trains on a built-in set of images.
#[derive(Parser)]
#[command(name = "wgrad", version, max_term_width = 80, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    train: train::Flags,
}

#[derive(Subcommand)]
enum Command {
    /// Train a network (this is what happens when no command is given)
    Train(Box<train::Flags>),
    /// Measure a checkpoint on the test images of a data set
    Eval(eval::Flags),
    /// Name what is in PNG or JPEG images
    Predict(predict::Flags),
    /// Show a network's layers, parameters and cost
    Summary(summary::Flags),
    /// List the GPU adapters, and which one would be taken
    Devices(devices::Flags),
    /// Time every operator and whole training steps on this machine
    Bench(bench::Flags),
    /// Hold every kernel against its CPU mirror on this machine's GPU
    Verify(verify::Flags),
}

#[derive(Args)]
struct Json {
    /// Print one JSON object on stdout, and nothing else there
    #[arg(long)]
    json: bool,
}

/// How a command ended when nothing stood in its way.
enum Ending {
    Done,
    FoundWrong,
    Interrupted,
}

pub fn main() -> ExitCode {
    let began = Instant::now();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => return usage(&e),
    };
    let ending = match cli.command {
        None => train::run(cli.train, began),
        Some(Command::Train(flags)) => train::run(*flags, began),
        Some(Command::Eval(flags)) => eval::run(&flags),
        Some(Command::Predict(flags)) => predict::run(&flags),
        Some(Command::Summary(flags)) => summary::run(&flags),
        Some(Command::Devices(flags)) => devices::run(&flags),
        Some(Command::Bench(flags)) => bench::run(&flags),
        Some(Command::Verify(flags)) => verify::run(&flags),
    };
    ExitCode::from(match ending {
        Ok(Ending::Done) => 0,
        Ok(Ending::FoundWrong) => 1,
        Ok(Ending::Interrupted) => 130,
        Err(e) => {
            complain(&one_line(&e));
            e.exit_code()
        }
    })
}

/// Help and version go to stdout; a wrong flag is told in one line, like every other fault.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // A reader that went away is no fault of ours.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = error.render().to_string();
    let told = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let line = told.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    complain(&format!("{} (see wgrad --help)", line.trim_start_matches("error: ")));
    ExitCode::from(2)
}

fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "error: {line}");
}

/// Prints to stdout; a reader that went away is no fault.
fn say(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::File { doing: "writing", path: PathBuf::from("stdout"), source: e })
        }
        _ => Ok(()),
    }
}

fn say_json(value: &impl Serialize) -> Result<()> {
    say(&serde_json::to_string(value).expect("results are JSON"))
}

/// Which checkpoint a command uses.
#[derive(Args)]
struct Which {
    /// A checkpoint, or the folder of a run, whose best one is taken [default: the newest run in runs/]
    #[arg(long, value_name = "FILE|DIR")]
    checkpoint: Option<PathBuf>,
}

impl Which {
    fn file(&self) -> Result<PathBuf> {
        let path = match &self.checkpoint {
            Some(path) => path.clone(),
            None => newest_run(Path::new("runs"))?,
        };
        if !path.is_dir() {
            return Ok(path);
        }
        let files = ["best.safetensors", "last.safetensors"].map(|name| path.join(name));
        let found = files.into_iter().find(|file| file.is_file());
        found.ok_or_else(|| Error::Setting(format!("{}: this folder holds no checkpoint; name a run's folder", path.display())))
    }
}

fn newest_run(runs: &Path) -> Result<PathBuf> {
    let written = |path: &PathBuf| -> Option<SystemTime> { path.join("last.safetensors").metadata().ok()?.modified().ok() };
    let found = std::fs::read_dir(runs).ok().and_then(|entries| {
        let runs = entries.filter_map(|e| Some(e.ok()?.path())).filter_map(|p| Some((written(&p)?, p)));
        runs.max().map(|(_, path)| path)
    });
    found.ok_or_else(|| Error::Setting("there is no run in runs/; name one with --checkpoint, or train first (wgrad train)".into()))
}
