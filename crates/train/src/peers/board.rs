//! Peers that are threads of one process: a board on which each lays what it brings, and takes what all have brought.

use super::engine::Engine;
use crate::error::{Error, Result};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// A thread's place at a board. Whoever leaves it early is missed: the others get an error.
pub struct Seat {
    rank: usize,
    board: Arc<Board>,
}

struct Board {
    size: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    laid: Vec<Option<Arc<[u8]>>>,
    /// Of this round: how many have taken what all have laid.
    taken: usize,
    gone: Option<usize>,
}

impl State {
    fn is_full(&self) -> bool {
        self.laid.iter().all(Option::is_some)
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seat({} of {})", self.rank, self.board.size)
    }
}

impl Seat {
    pub fn around(size: usize) -> Vec<Self> {
        let state = State { laid: vec![None; size], ..State::default() };
        let board = Arc::new(Board { size, state: Mutex::new(state), changed: Condvar::new() });
        (0..size).map(|rank| Self { rank, board: board.clone() }).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.board.state.lock().expect("nothing panics with it")
    }

    /// Waits until it holds, or somebody is gone.
    fn wait<'a>(&self, mut state: MutexGuard<'a, State>, holds: impl Fn(&State) -> bool) -> Result<MutexGuard<'a, State>> {
        loop {
            if holds(&state) {
                return Ok(state);
            }
            if let Some(rank) = state.gone {
                return Err(Error::Peer { rank, message: "it ended before the run did".to_owned(), code: 1 });
            }
            state = self.board.changed.wait(state).expect("nothing panics with it");
        }
    }

    /// Lays `bytes` down, and takes what each has laid.
    fn exchange(&self, bytes: &[u8]) -> Result<Vec<Arc<[u8]>>> {
        // A quick one waits for the slow ones to take what lies there from before.
        let mut state = self.wait(self.state(), |state| state.laid[self.rank].is_none())?;
        state.laid[self.rank] = Some(bytes.into());
        self.board.changed.notify_all();
        let mut state = self.wait(state, State::is_full)?;
        let all = state.laid.iter().flatten().cloned().collect();
        state.taken += 1;
        if state.taken == self.board.size {
            state.taken = 0;
            state.laid.fill(None);
            self.board.changed.notify_all();
        }
        Ok(all)
    }
}

impl Engine for Seat {
    fn rank(&self) -> usize {
        self.rank
    }
    fn size(&self) -> usize {
        self.board.size
    }
    fn host(&self) -> &str {
        "here"
    }
    fn all_to_all(&self, send: &[u8], receive: &mut [u8]) -> Result<()> {
        let chunk = send.len() / self.board.size;
        let all = self.exchange(send)?;
        all.iter()
            .enumerate()
            .for_each(|(k, theirs)| receive[k * chunk..][..chunk].copy_from_slice(&theirs[self.rank * chunk..][..chunk]));
        Ok(())
    }
    fn all_gather(&self, send: &[u8], receive: &mut [u8]) -> Result<()> {
        let all = self.exchange(send)?;
        all.iter().enumerate().for_each(|(k, theirs)| receive[k * send.len()..][..send.len()].copy_from_slice(theirs));
        Ok(())
    }
    fn broadcast(&self, bytes: &mut [u8]) -> Result<()> {
        let mine: &[u8] = if self.rank == 0 { bytes } else { &[] };
        let all = self.exchange(mine)?;
        bytes.copy_from_slice(&all[0]);
        Ok(())
    }
    fn leave(&self) {}
    fn abandon(&self, _code: u8) {
        self.state().gone.get_or_insert(self.rank);
        self.board.changed.notify_all();
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.abandon(1);
    }
}
