//! `wgrad train --tui`: a run on the whole screen, with keys.
//!
//! A thread of its own draws what the run tells and reads the keys; the run asks for wishes between its steps, and knows of no terminal.

mod board;
mod draw;
mod keys;
mod screen;
mod shared;
#[cfg(test)]
mod tests;

use super::signals::set_on_signals;
use screen::Screen;
use shared::Shared;
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use train::console::Console;
use train::{Error, Result};

/// Does work that is seen on the whole screen, and may be ended from there or by signals. What was said of it stands on the terminal
/// afterwards.
///
/// # Errors
/// Those of the work; if stdout is no terminal, or one that cannot be drawn on.
pub fn on_screen<R>(work: impl FnOnce(&AtomicBool, &mut Console) -> Result<R>) -> Result<R> {
    if !io::stdout().is_terminal() {
        return Err(Error::Setting("--tui draws on a terminal, and stdout is none; leave it out".into()));
    }
    let shared = Arc::new(Shared::default());
    set_on_signals(&shared.stop)?;
    set_on_signals(&shared.signalled)?;
    let mut screen = Screen::open(shared.clone())?;
    let stop = shared.stop.clone();
    let done = work(&stop, &mut Console::watched(shared));
    // Also where the work failed: the terminal is as it was before anything more is said.
    let told = screen.close();
    let done = done?;
    told?;
    Ok(done)
}
