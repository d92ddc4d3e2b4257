//! The command line: what is asked for, and how it is answered.

mod answer;
mod bench;
mod checkpoint;
mod columns;
mod data;
mod devices;
mod eval;
mod export;
mod help;
mod layers;
mod lr_find;
mod masks;
mod models;
mod outcome;
mod predict;
mod report;
mod runs;
mod shell;
mod signals;
mod summary;
mod sweep;
mod task;
mod train;
#[cfg_attr(not(feature = "tui"), path = "no_tui.rs")]
mod tui;
mod verify;

use ::train::console::forgive_a_closed_pipe;
use ::train::error::{one_line, printable_name, short};
use ::train::{Error, Result};
use answer::Ending;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use gpu_core::{choose_adapter, within_memory};
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

/// Trains convolutional networks on whatever GPU there is, or on the CPU. Alone, it trains on a built-in set of images.
#[derive(Parser)]
#[command(name = "wgrad", version, max_term_width = 80, args_conflicts_with_subcommands = true, after_help = MORE, after_long_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    train: train::Flags,
    /// Take this GPU: its number in `wgrad devices`, a part of its name, or where it is plugged in (as the variable WGRAD_ADAPTER)
    #[arg(long, global = true, value_name = "NUMBER|NAME|PCI", hide_short_help = true)]
    adapter: Option<String>,
}

const MORE: &str = "\
Examples:
  wgrad                          train on the built-in set, to see it work
  wgrad train photos/            learn from photos/cat/1.jpg, photos/dog/2.png
  wgrad predict new.jpg          name what is in a picture, by the run just done
  wgrad train --model resnet20 --data cifar-10-batches-bin --epochs 30

`wgrad COMMAND -h` is short, `wgrad COMMAND --help` tells all.";

const TRAIN_EXAMPLES: &str = "\
Examples:
  wgrad train photos/ --epochs 30 --augment flip,resized-crop=0.5,jitter
  wgrad train --data cifar-10-batches-bin --model resnet20 --epochs 30 --name a
  wgrad train --resume runs/a

`wgrad train --help` has all flags.";

const LR_FIND_EXAMPLES: &str = "\
Examples:
  wgrad lr-find photos/ --model resnet18
  wgrad lr-find --config runs/a/config.toml --optimizer adamw --to 1

It takes the flags of `wgrad train`: `wgrad lr-find --help` has them all.";

const SWEEP_EXAMPLE: &str = r#"A file:
  method = "random"        # or "grid", which takes lists alone, or "halving"
  runs = 20                # not with "grid"
  seed = 0
  [base]                   # settings as in config.toml
  data = "photos"
  epochs = 10
  [search]
  lr = { min = 0.001, max = 0.3, log = true }
  optimizer = ["sgd", "adamw"]

"halving" trains all for min-epochs = 1, the best one in eta = 3 anew for
three times as many, and so on until one is left; it has no epochs in [base].
Each run is a folder below that of the sweep. Ended in whatever way, a sweep
goes on by being started again."#;

const EXIT_CODES: &str = "Exit codes: 0 done, 1 ran and found something wrong (a run that diverged, a kernel that differs, an image that cannot be read), \
    2 bad input or environment, 3 the output could not be written (a reader that goes away is no fault), \
    130 ended by Ctrl-C, SIGTERM or SIGHUP, and saved.";

#[derive(Subcommand)]
enum Command {
    /// Train a network (this is what happens when no command is given)
    #[command(after_help = TRAIN_EXAMPLES)]
    Train(Box<train::OnData>),
    /// Print the settings of such a run, as a file for --config
    Config(Box<train::OnData>),
    /// Try rising learning rates for some steps, and suggest one
    #[command(after_help = LR_FIND_EXAMPLES)]
    LrFind(Box<lr_find::Flags>),
    /// Train many runs with other settings each, and find the best
    #[command(after_help = SWEEP_EXAMPLE)]
    Sweep(sweep::Flags),
    /// Measure a checkpoint on the test images of a data set
    Eval(eval::Flags),
    /// Name what is in pictures, in folders of them
    Predict(predict::Flags),
    /// List the runs that there are, the best first if you like
    Runs(runs::Flags),
    /// Write a page with the curves and settings of runs, one or several
    Report(report::Flags),
    /// Write a trained network as ONNX, for PyTorch, or as safetensors
    #[command(override_usage = "wgrad export [OPTIONS] <--onnx|--torch|--safetensors> <RUN|FILE>")]
    Export(export::Flags),
    /// Say what is in a data set, and show what a network sees of it
    Data(data::Flags),
    /// List the networks that there are, with their sizes
    Models(models::Flags),
    /// List the types of a layer list, with their fields
    Layers(layers::Flags),
    /// Show a network's layers, parameters and cost
    Summary(summary::Flags),
    /// List the GPU adapters, and which one would be taken
    Devices(devices::Flags),
    /// Time every operator and whole training steps on this machine
    Bench(bench::Flags),
    /// Hold every kernel against its CPU mirror on this machine's GPU
    Verify(verify::Flags),
    /// Print a script that has a shell complete commands and flags
    Completions(shell::Completions),
    /// Write the manual pages
    Man(shell::Man),
}

/// The command line. Alone, `-h` lists the commands: the flags of training stand under `train`.
fn command() -> clap::Command {
    Cli::command().mut_args(|flag| flag.hide_short_help(true))
}

/// The command that is asked for, as one types it: of which the help is meant.
fn asked() -> String {
    let (mut asked, mut at) = ("wgrad".to_owned(), command());
    for word in std::env::args().skip(1) {
        let Some(below) = at.find_subcommand(&word).cloned() else { break };
        asked = format!("{asked} {}", below.get_name());
        at = below;
    }
    asked
}

/// What is left without a text by a variable that is not set: a flag, or what a command is told.
fn left_empty() -> Option<String> {
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    words.windows(2).find_map(|pair| match (pair[0].as_str(), pair[1].as_str()) {
        (flag, "") if flag.starts_with('-') => Some(flag.to_owned()),
        (_, "") => Some("a word after the command".to_owned()),
        (_, word) => word.strip_suffix('=').filter(|flag| flag.starts_with("--") && !flag.contains('=')).map(str::to_owned),
    })
}

pub fn main() -> ExitCode {
    let began = Instant::now();
    if let Some(empty) = left_empty() {
        return misused(&format!("{empty} is empty: is a variable not set?"));
    }
    let command = match std::env::args_os().nth(1) {
        Some(first) if first == "-h" => command().override_help(help::short(command())),
        _ => command(),
    };
    let cli = match command.try_get_matches().and_then(|found| Cli::from_arg_matches(&found)) {
        Ok(cli) => cli,
        Err(e) => return usage(&e),
    };
    // Whatever asks for more memory than there is, it is an error and no panic.
    let ending = within_memory(|| run(cli, began)).unwrap_or_else(|e| Err(e.into()));
    ExitCode::from(match ending {
        Ok(Ending::Done) => 0,
        Ok(Ending::FoundWrong) => 1,
        Ok(Ending::Interrupted) => 130,
        Ok(Ending::Told(code)) => code,
        Err(e) => {
            complain(&one_line(&e));
            e.exit_code()
        }
    })
}

fn run(cli: Cli, began: Instant) -> Result<Ending> {
    cli.adapter.into_iter().for_each(choose_adapter);
    match cli.command {
        None => train::run(cli.train, began),
        Some(Command::Train(flags)) => train::run(flags.flags(), began),
        Some(Command::Config(flags)) => train::show(&flags.flags()),
        Some(Command::LrFind(flags)) => lr_find::run(*flags, began),
        Some(Command::Sweep(flags)) => sweep::run(&flags),
        Some(Command::Eval(flags)) => eval::run(&flags),
        Some(Command::Predict(flags)) => predict::run(&flags),
        Some(Command::Runs(flags)) => runs::run(&flags),
        Some(Command::Report(flags)) => report::run(&flags),
        Some(Command::Export(flags)) => export::run(&flags),
        Some(Command::Data(flags)) => data::run(&flags),
        Some(Command::Models(flags)) => models::run(&flags),
        Some(Command::Layers(flags)) => layers::run(&flags),
        Some(Command::Summary(flags)) => summary::run(&flags),
        Some(Command::Devices(flags)) => devices::run(&flags),
        Some(Command::Bench(flags)) => bench::run(&flags),
        Some(Command::Verify(flags)) => verify::run(&flags),
        Some(Command::Completions(flags)) => shell::completions(&flags, command()),
        Some(Command::Man(flags)) => shell::man(&flags, command()),
    }
}

/// Help and version go to stdout; a wrong flag is told in one line, like every other fault.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return match error.print().or_else(forgive_a_closed_pipe) {
            Ok(()) => ExitCode::SUCCESS,
            Err(e) => {
                let error = Error::Output(e);
                complain(&error.to_string());
                ExitCode::from(error.exit_code())
            }
        };
    }
    let text = error.render().to_string();
    let told = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let line = told.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ").replace(" tip: ", "; ");
    misused(line.trim_start_matches("error: "))
}

/// The end of a command that was not understood.
fn misused(why: &str) -> ExitCode {
    complain(&format!("{why} (see {} --help)", asked()));
    ExitCode::from(2)
}

fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "error: {}", short(&printable_name(line)));
}
