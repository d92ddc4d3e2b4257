//! What a key means.

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Where keys come from.
pub trait Keys {
    /// The next event within this time.
    fn next(&mut self, within: Duration) -> io::Result<Option<Event>>;
}

/// Those of the terminal, which a thread waits for that nobody waits for: crossterm's `poll` was seen to read from a terminal that had
/// nothing to say, and came back with the next key.
pub struct Terminal(Receiver<Event>);

impl Terminal {
    pub fn open() -> Self {
        let (sender, receiver) = channel();
        thread::spawn(move || {
            loop {
                let Ok(event) = event::read() else {
                    // A terminal that is gone is no reason to be busy.
                    thread::sleep(Duration::from_millis(100));
                    continue;
                };
                if sender.send(event).is_err() {
                    break;
                }
            }
        });
        Self(receiver)
    }
}

impl Keys for Terminal {
    fn next(&mut self, within: Duration) -> io::Result<Option<Event>> {
        match self.0.recv_timeout(within) {
            Ok(event) => Ok(Some(event)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Asked {
    /// As Ctrl-C does: the first time orderly, the second time at once.
    Interrupt,
    Stop,
    Save,
    Hold,
    Faster,
    Slower,
}

/// What an event of the terminal asks for.
pub fn asked(event: &Event) -> Option<Asked> {
    let Event::Key(KeyEvent { code, modifiers, kind, .. }) = event else { return None };
    // A terminal in raw mode sends no signal for it.
    let control = modifiers.contains(KeyModifiers::CONTROL);
    match code {
        _ if *kind == KeyEventKind::Release => None,
        KeyCode::Char('c') if control => Some(Asked::Interrupt),
        _ if control => None,
        KeyCode::Char('q' | 'Q') => Some(Asked::Stop),
        KeyCode::Char('s' | 'S') => Some(Asked::Save),
        KeyCode::Char('p' | 'P' | ' ') => Some(Asked::Hold),
        // Where + has the shift key, and where it has not.
        KeyCode::Char('+' | '=') => Some(Asked::Faster),
        KeyCode::Char('-' | '_') => Some(Asked::Slower),
        _ => None,
    }
}
