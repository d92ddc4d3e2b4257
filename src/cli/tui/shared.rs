//! What the thread that trains and the thread that draws have in common.

use super::board::Board;
use super::keys::Asked;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use train::onlooker::{Event, Onlooker, Wish};

/// What `+` makes of the rate; `-` takes it back.
const TENTH: f32 = 1.1;

/// What a run says to a person, for the time after the screen.
#[derive(Debug, PartialEq)]
pub enum Word {
    Said(String),
    Noted(String),
}

#[derive(Debug, Default)]
pub struct Shared {
    board: Mutex<Board>,
    wishes: Mutex<VecDeque<Wish>>,
    words: Mutex<Vec<Word>>,
    /// Set to end the run after its step.
    pub stop: Arc<AtomicBool>,
    /// A signal came.
    pub signalled: Arc<AtomicBool>,
    /// Something is to be drawn.
    pub changed: AtomicBool,
    /// Nothing is to be drawn any more.
    pub done: AtomicBool,
    interrupted: AtomicBool,
    is_held: AtomicBool,
}

impl Shared {
    pub fn board(&self) -> MutexGuard<'_, Board> {
        whole(&self.board)
    }

    /// All that was said until now.
    pub fn take_words(&self) -> Vec<Word> {
        std::mem::take(&mut whole(&self.words))
    }

    /// Does what a key asks for; true if the process is to end at once.
    pub fn answer(&self, asked: Asked) -> bool {
        self.changed.store(true, SeqCst);
        let wish = match asked {
            Asked::Interrupt => return self.interrupt(),
            Asked::Stop => {
                self.interrupt();
                return false;
            }
            Asked::Save => Wish::Save,
            Asked::Hold if self.is_held.fetch_xor(true, SeqCst) => Wish::GoOn,
            Asked::Hold => Wish::Hold,
            Asked::Faster => Wish::Rate(TENTH),
            Asked::Slower => Wish::Rate(1.0 / TENTH),
        };
        whole(&self.wishes).push_back(wish);
        false
    }

    /// Ends the run after its step; true if that was asked for already.
    pub fn interrupt(&self) -> bool {
        self.stop.store(true, SeqCst);
        self.changed.store(true, SeqCst);
        self.board().is_stopping = true;
        self.interrupted.swap(true, SeqCst)
    }
}

/// What is locked is whole after a panic too: each change of it is one.
fn whole<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Onlooker for Shared {
    fn see(&self, event: Event<'_>) {
        match event {
            Event::Said(text) => whole(&self.words).push(Word::Said(text.to_owned())),
            Event::Noted(text) => whole(&self.words).push(Word::Noted(text.to_owned())),
            _ => {}
        }
        self.board().see(event);
        self.changed.store(true, SeqCst);
    }

    fn wish(&self, _step: u64) -> Option<Wish> {
        whole(&self.wishes).pop_front()
    }
}
