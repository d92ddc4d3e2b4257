//! What moves bytes between peers.

use crate::error::Result;
use std::fmt;

/// All are called by all peers, in the same order and with the same lengths, none of which is 0.
pub trait Engine: fmt::Debug + Send + Sync {
    fn rank(&self) -> usize;
    fn size(&self) -> usize;
    /// What the engine calls the machine that this one is on.
    fn host(&self) -> &str;

    /// Sends the k-th of `size` chunks of `send` to the k-th peer, and receives one of each into the k-th of `receive`.
    fn all_to_all(&self, send: &[u8], receive: &mut [u8]) -> Result<()>;

    /// Sends `send` to all, and receives one of each into the k-th of `size` chunks of `receive`.
    fn all_gather(&self, send: &[u8], receive: &mut [u8]) -> Result<()>;

    /// What the first one has, for all.
    fn broadcast(&self, bytes: &mut [u8]) -> Result<()>;

    /// The end, for all at once.
    fn leave(&self);

    /// The end of all, by this one alone.
    fn abandon(&self, code: u8);
}
