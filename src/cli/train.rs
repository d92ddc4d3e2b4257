//! `wgrad train`.

use super::answer::{Ending, Json, say_json};
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Instant;
use train::console::Console;
use train::settings::Settings;
use train::trainer::{self, Order};
use train::{Error, Result};

#[derive(Args)]
pub struct Flags {
    #[command(flatten)]
    settings: Settings,
    /// Settings from a TOML file with the same keys as the flags; flags win
    #[arg(long, value_name = "FILE.toml")]
    config: Option<PathBuf>,
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with = "config",
        help = format!("Continue the run in this folder; only {} may be given as well", Settings::flags_of_resume()),
    )]
    resume: Option<PathBuf>,
    #[command(flatten)]
    json: Json,
}

pub fn run(flags: Flags, began: Instant) -> Result<Ending> {
    let mut settings = flags.settings;
    if let Some(path) = &flags.config {
        settings = settings.or(Settings::read(path)?);
    }
    let stop = stop_on_ctrl_c()?;
    let mut console = Console::new(flags.json.json);
    let order = Order { settings, resume: flags.resume, stop: &stop, began };
    let outcome = trainer::train(order, &mut console)?;
    if flags.json.json {
        say_json(&outcome)?;
    }
    Ok(if outcome.interrupted { Ending::Interrupted } else { Ending::Done })
}

/// The first Ctrl-C ends the run after its step, the second one at once.
fn stop_on_ctrl_c() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = stop.clone();
    let handler = move || {
        if seen.swap(true, SeqCst) {
            std::process::exit(130);
        }
    };
    ctrlc::set_handler(handler).map_err(|e| Error::Setting(format!("Ctrl-C cannot be caught: {e}")))?;
    Ok(stop)
}
