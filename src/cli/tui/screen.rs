//! The terminal while a run has it, and as it was before.

use super::draw::draw;
use super::keys::{self, Keys, asked};
use super::shared::{Shared, Word};
use crate::cli::answer::say;
use crate::cli::signals::ENDED;
use ratatui::Terminal;
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use std::io::{Write, stderr, stdout};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use train::error::printable;
use train::{Error, Result};

/// The longest time between two looks at the keys, the signals and what is to be drawn.
const WAIT: Duration = Duration::from_millis(100);

/// Why nothing is drawn any more.
#[derive(Debug, PartialEq)]
pub enum End {
    /// The run is over.
    Over,
    /// The process is to end at once.
    AtOnce,
}

/// Draws what changes, and hands on what keys and signals ask for.
pub fn watch<B: Backend>(terminal: &mut Terminal<B>, keys: &mut dyn Keys, shared: &Shared, way: &Way) -> End {
    shared.changed.store(true, SeqCst);
    loop {
        if shared.changed.swap(false, SeqCst) {
            let _drawing = way.drawing.lock();
            if shared.done.load(SeqCst) {
                return End::Over;
            }
            // A terminal that went away does not end a run; the hangup does.
            let _ = terminal.draw(|frame| draw(frame, &shared.board()));
        }
        let event = keys.next(WAIT).unwrap_or_else(|_| {
            thread::sleep(WAIT);
            None
        });
        // One that is none of ours may be another size.
        shared.changed.fetch_or(event.is_some(), SeqCst);
        let at_once = event.as_ref().and_then(asked).is_some_and(|asked| shared.answer(asked));
        if at_once || shared.signalled.swap(false, SeqCst) && shared.interrupt() {
            return End::AtOnce;
        }
        if shared.done.load(SeqCst) {
            return End::Over;
        }
    }
}

/// The way back from the screen, which whoever comes first takes: the end of a run, a panic, or a second signal.
#[derive(Debug, Default)]
pub struct Way {
    is_left: AtomicBool,
    /// Held while a frame is drawn.
    drawing: Mutex<()>,
}

impl Way {
    /// Calls `leave` unless that was done before.
    pub fn back(&self, shared: &Shared, leave: impl FnOnce()) {
        shared.done.store(true, SeqCst);
        // A frame under way is finished first; one that is not within half a second is this thread's own, which panicked in it.
        for _ in 0..50 {
            if self.drawing.try_lock().is_ok() {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        if !self.is_left.swap(true, SeqCst) {
            leave();
        }
    }
}

fn leave() {
    let _ = disable_raw_mode();
    let _ = execute!(stdout(), LeaveAlternateScreen, Show);
}

/// Has whatever panics go the way back first: what it prints is for the terminal as it was.
pub fn back_on_panic(shared: Arc<Shared>, way: Arc<Way>, leave: fn()) {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        way.back(&shared, leave);
        before(panic);
    }));
}

/// The screen of a run.
pub struct Screen {
    shared: Arc<Shared>,
    way: Arc<Way>,
    watcher: Option<JoinHandle<()>>,
}

impl Screen {
    /// # Errors
    /// If the terminal is none that can be drawn on.
    pub fn open(shared: Arc<Shared>) -> Result<Self> {
        let way = Arc::new(Way::default());
        back_on_panic(shared.clone(), way.clone(), leave);
        let opened = enable_raw_mode().and_then(|()| execute!(stdout(), EnterAlternateScreen));
        let terminal = opened.and_then(|()| Terminal::new(CrosstermBackend::new(stdout())));
        let mut terminal = terminal.map_err(|e| {
            way.back(&shared, leave);
            Error::Setting(format!("--tui cannot draw on this terminal: {e}"))
        })?;
        let watched = (shared.clone(), way.clone());
        let watcher = thread::spawn(move || {
            let (shared, way) = watched;
            if watch(&mut terminal, &mut keys::Terminal::open(), &shared, &way) == End::AtOnce {
                way.back(&shared, leave);
                let _ = told(&shared);
                // Without what other threads would be asked for at an orderly exit: one of them is in the middle of a step.
                signal_hook::low_level::exit(ENDED);
            }
        });
        Ok(Self { shared, way, watcher: Some(watcher) })
    }

    /// Gives the terminal back, and tells it what was said in the meantime.
    ///
    /// # Errors
    /// If stdout does not take it.
    pub fn close(&mut self) -> Result<()> {
        self.way.back(&self.shared, leave);
        // What it panicked of was printed.
        self.watcher.take().into_iter().for_each(|watcher| drop(watcher.join()));
        told(&self.shared)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.close();
    }
}

/// What was said, each line where it would have been printed.
fn told(shared: &Shared) -> Result<()> {
    shared.take_words().iter().try_for_each(|word| match word {
        Word::Said(text) => say(text),
        Word::Noted(text) => {
            let _ = writeln!(stderr(), "{}", printable(text));
            Ok(())
        }
    })
}
