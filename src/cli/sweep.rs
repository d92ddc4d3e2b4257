//! `wgrad sweep`.

use super::answer::{Ending, Json, say, say_json};
use super::signals::stop_on_signals;
use clap::Args;
use std::path::PathBuf;
use train::Result;
use train::console::{Console, counted};
use train::error::printable_name;
use train::peers::expect_one_process;
use train::run_folder::REPORT;
use train::sweep::{self, Order, Outcome};

#[derive(Args)]
pub struct Flags {
    /// What is tried, as below
    #[arg(value_name = "FILE.toml")]
    plan: PathBuf,
    /// Folder in which that of the sweep is made
    #[arg(short, long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    /// Name of the sweep's folder [default: the file's, without .toml]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    json: Json,
}

pub fn run(flags: &Flags) -> Result<Ending> {
    expect_one_process("wgrad sweep")?;
    let stop = stop_on_signals()?;
    let console = Console::new(flags.json.json);
    let order = Order { plan: &flags.plan, out: &flags.out, name: flags.name.as_deref(), stop: &stop };
    let outcome = sweep::run(&order, &console)?;
    console.finish()?;
    if flags.json.json {
        say_json(&outcome)?;
    } else {
        show(&outcome, flags)?;
    }
    Ok(if outcome.interrupted { Ending::Interrupted } else { Ending::Done })
}

/// The best first.
fn show(outcome: &Outcome, flags: &Flags) -> Result<()> {
    say("")?;
    say(&format!("{:<10} {:>9} {:>9}  settings", "run", "val", "test"))?;
    outcome.trials.iter().try_for_each(|trial| say(&printable_name(&trial.line())))?;
    let folder = outcome.sweep.display();
    if outcome.interrupted {
        let done = outcome.trials.len() as u64;
        say(&format!("stopped after {} of {}; to continue:", counted(done, "run"), outcome.runs))?;
        return say(&format!("  {}", again(flags)));
    }
    say(&format!("picture: {folder}/{REPORT}"))?;
    match outcome.trials.iter().find(|trial| trial.diverged.is_none()) {
        Some(best) => say(&format!("the best: {folder}/{}", best.run)),
        None => say("every run diverged: try lower learning rates"),
    }
}

/// The command that goes on.
fn again(flags: &Flags) -> String {
    let out = Some(&flags.out).filter(|out| out.as_os_str() != "runs").map(|out| format!(" --out {}", out.display()));
    let name = flags.name.as_ref().map(|name| format!(" --name {name}"));
    format!("wgrad sweep {}{}{}", flags.plan.display(), out.unwrap_or_default(), name.unwrap_or_default())
}
