//! Buffers lent by size and given back on drop.
//!
//! Work on a device runs in the order in which it was asked for, so a buffer may be lent again as soon as its last tensor is
//! gone, even while the commands that use it still wait: no fence is needed. A capture owns a pool of its own, which keeps what its
//! recording works in; what another pool keeps idle has a bound ([`Idle`]).

use super::error::{Error, Result};
use super::idle::Idle;
use super::machine::budget;
use parking_lot::Mutex;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Every size is a multiple of this, which is also the strictest binding alignment of any adapter.
pub(crate) const ALIGN: usize = 256;

/// Where a pool's buffers come from.
pub(crate) trait Memory: Clone + Debug {
    /// A handle to a buffer; cloning it clones the handle.
    type Buffer: Clone + Debug;

    /// A new buffer of `bytes`, a multiple of [`ALIGN`].
    fn make(&self, bytes: usize) -> Result<Self::Buffer>;
}

/// Memory of a device, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryStats {
    /// Lent to living tensors.
    pub live: u64,
    /// Given back and kept for the next tensor of the same size: what captures work in, and beside it no more than was lent at once so
    /// far (32 MiB at least), or several times as much where sizes come back that would have been let go.
    pub pooled: u64,
    /// The largest sum of both so far.
    pub peak: u64,
    /// The budget; `u64::MAX` where there is none.
    pub limit: u64,
}

/// The account that a device and all its captures share.
#[derive(Debug)]
struct Account {
    live: AtomicU64,
    pooled: AtomicU64,
    peak: AtomicU64,
    limit: u64,
}

impl Account {
    pub fn new() -> Self {
        Self {
            live: AtomicU64::new(0),
            pooled: AtomicU64::new(0),
            peak: AtomicU64::new(0),
            // Who opens a device by its name is told of a budget that is none.
            limit: budget().unwrap_or(u64::MAX),
        }
    }

    pub fn stats(&self) -> MemoryStats {
        MemoryStats {
            live: self.live.load(Relaxed),
            pooled: self.pooled.load(Relaxed),
            peak: self.peak.load(Relaxed),
            limit: self.limit,
        }
    }
}

/// Lends buffers of one memory.
#[derive(Debug)]
pub(crate) struct Pool<M: Memory> {
    memory: M,
    idle: Mutex<Idle<M::Buffer>>,
    /// Bytes of this pool's own buffers, lent or idle, and the most that were lent at once; none for a capture's pool, which keeps all.
    made: AtomicU64,
    most_lent: Option<AtomicU64>,
    account: Arc<Account>,
}

impl<M: Memory> Pool<M> {
    pub fn new(memory: M) -> Arc<Self> {
        Self::with_account(memory, Arc::new(Account::new()), Some(AtomicU64::new(0)))
    }

    fn with_account(memory: M, account: Arc<Account>, most_lent: Option<AtomicU64>) -> Arc<Self> {
        Arc::new(Self { memory, idle: Mutex::default(), made: AtomicU64::new(0), most_lent, account })
    }

    /// A second pool over the same memory: a capture's own.
    pub fn sibling(&self) -> Arc<Self> {
        Self::with_account(self.memory.clone(), self.account.clone(), None)
    }

    pub fn stats(&self) -> MemoryStats {
        self.account.stats()
    }

    /// A buffer of at least `bytes`; what it holds is whatever was there.
    pub fn take(self: &Arc<Self>, bytes: usize) -> Result<Lent<M>> {
        let bytes = bytes.max(1).checked_next_multiple_of(ALIGN).unwrap_or(usize::MAX / ALIGN * ALIGN);
        let reused = self.idle.lock().take(bytes);
        let buffer = match reused {
            Some(buffer) => {
                self.account.pooled.fetch_sub(bytes as u64, Relaxed);
                buffer
            }
            None => {
                self.keep_budget(bytes as u64)?;
                // What nobody uses may be what is missing.
                self.make(bytes).or_else(|_| {
                    self.trim();
                    self.make(bytes)
                })?
            }
        };
        Ok(self.lend(buffer, bytes))
    }

    /// The smallest buffer, whatever the budget: it stands where one was refused.
    pub fn stand_in(self: &Arc<Self>) -> Result<Lent<M>> {
        Ok(self.lend(self.make(ALIGN)?, ALIGN))
    }

    fn make(&self, bytes: usize) -> Result<M::Buffer> {
        let buffer = self.memory.make(bytes)?;
        self.made.fetch_add(bytes as u64, Relaxed);
        Ok(buffer)
    }

    fn lend(self: &Arc<Self>, buffer: M::Buffer, bytes: usize) -> Lent<M> {
        let live = self.account.live.fetch_add(bytes as u64, Relaxed) + bytes as u64;
        self.account.peak.fetch_max(live + self.account.pooled.load(Relaxed), Relaxed);
        if let Some(most_lent) = &self.most_lent {
            most_lent.fetch_max(live, Relaxed);
        }
        Lent { buffer, bytes, pool: Some(self.clone()) }
    }

    fn keep_budget(&self, asked: u64) -> Result<()> {
        let over = |s: MemoryStats| (s.live + s.pooled).saturating_add(asked) > s.limit;
        if over(self.stats()) {
            self.trim();
        }
        let stats = self.stats();
        if over(stats) {
            let detail = format!("{} of a budget of {} bytes are in use", stats.live + stats.pooled, stats.limit);
            return Err(Error::OutOfMemory { asked, detail });
        }
        Ok(())
    }

    /// Takes a buffer back, and lets go what has no use.
    fn give_back(&self, bytes: usize, buffer: M::Buffer) {
        self.account.live.fetch_sub(bytes as u64, Relaxed);
        self.account.pooled.fetch_add(bytes as u64, Relaxed);
        let mut idle = self.idle.lock();
        idle.give(bytes, buffer);
        let Some(most_lent) = &self.most_lent else { return };
        let going = idle.settle(most_lent.load(Relaxed));
        drop(idle);
        self.count_freed(going.iter().map(|(bytes, _)| *bytes as u64).sum());
    }

    fn count_freed(&self, freed: u64) {
        self.account.pooled.fetch_sub(freed, Relaxed);
        self.made.fetch_sub(freed, Relaxed);
    }

    /// Bytes of this pool's own buffers, lent or idle.
    pub fn bytes(&self) -> u64 {
        self.made.load(Relaxed)
    }

    /// Frees the buffers that nobody uses.
    pub fn trim(&self) {
        let freed = self.idle.lock().clear();
        self.count_freed(freed);
    }
}

impl<M: Memory> Drop for Pool<M> {
    fn drop(&mut self) {
        self.trim();
    }
}

/// One lent buffer, which dropping it gives back; or a buffer of the program's own.
#[derive(Debug)]
pub(crate) struct Lent<M: Memory> {
    pub buffer: M::Buffer,
    bytes: usize,
    /// None for a buffer that is not the library's.
    pool: Option<Arc<Pool<M>>>,
}

impl<M: Memory> Lent<M> {
    /// A buffer of the program's own, of so many bytes: no part of any account.
    pub fn foreign(buffer: M::Buffer, bytes: usize) -> Self {
        Self { buffer, bytes, pool: None }
    }

    pub fn is_from(&self, pool: &Arc<Pool<M>>) -> bool {
        self.pool.as_ref().is_some_and(|mine| Arc::ptr_eq(mine, pool))
    }
}

impl<M: Memory> Drop for Lent<M> {
    fn drop(&mut self) {
        let Some(pool) = &self.pool else { return };
        pool.give_back(self.bytes, self.buffer.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Buffers that know their size and nothing else.
    #[derive(Clone, Debug)]
    struct Sizes;
    impl Memory for Sizes {
        type Buffer = usize;
        fn make(&self, bytes: usize) -> Result<usize> {
            Ok(bytes)
        }
    }

    #[test]
    fn a_dropped_buffer_is_lent_again_and_the_account_balances() {
        let pool = Pool::new(Sizes);
        let first = pool.take(1000).unwrap();
        assert_eq!((pool.stats().live, pool.stats().pooled), (1024, 0));
        drop(first);
        assert_eq!((pool.stats().live, pool.stats().pooled), (0, 1024));
        let _again = pool.take(1024).unwrap();
        assert_eq!((pool.stats().live, pool.stats().pooled, pool.stats().peak), (1024, 0, 1024));
    }

    /// Of 1,500 tensors of rising size, one at a time: 1.15 GB were kept.
    #[test]
    fn a_pool_keeps_no_size_that_is_not_asked_for_again_and_a_capture_keeps_all() {
        let (pool, rising) = (Pool::new(Sizes), || (1..=1500).map(|i| i << 10));
        rising().for_each(|bytes| drop(pool.take(bytes).unwrap()));
        let stats = pool.stats();
        assert_eq!((stats.live, pool.bytes()), (0, stats.pooled));
        assert!(stats.pooled <= 32 << 20 && stats.peak <= (32 << 20) + (1500 << 10), "{stats:?}");
        let of_a_capture = pool.sibling();
        rising().for_each(|bytes| drop(of_a_capture.take(bytes).unwrap()));
        assert_eq!(of_a_capture.bytes(), rising().sum::<usize>() as u64);
        drop(of_a_capture);
        assert_eq!(pool.stats().pooled, stats.pooled);
    }

    /// A machine of 2,048 bytes.
    #[derive(Clone, Debug, Default)]
    struct Small(Arc<AtomicU64>);
    #[derive(Clone, Debug)]
    struct Piece(#[expect(dead_code, reason = "it counts its clones")] Arc<Taken>);
    #[derive(Debug)]
    struct Taken(Small, u64);
    impl Drop for Taken {
        fn drop(&mut self) {
            self.0.0.fetch_sub(self.1, Relaxed);
        }
    }
    impl Memory for Small {
        type Buffer = Piece;
        fn make(&self, bytes: usize) -> Result<Piece> {
            if self.0.load(Relaxed) + bytes as u64 > 2048 {
                return Err(Error::OutOfMemory { asked: bytes as u64, detail: String::new() });
            }
            self.0.fetch_add(bytes as u64, Relaxed);
            Ok(Piece(Arc::new(Taken(self.clone(), bytes as u64))))
        }
    }

    #[test]
    fn what_nobody_uses_is_given_up_where_the_machine_has_no_more() {
        let pool = Pool::new(Small::default());
        drop((pool.take(256).unwrap(), pool.take(1024).unwrap()));
        let _held = pool.take(2048).unwrap();
        assert!(pool.take(256).is_err());
    }

    #[test]
    fn a_pool_over_its_budget_first_frees_what_nobody_uses_then_says_so() {
        let mut account = Account::new();
        account.limit = 2048;
        let pool = Pool::with_account(Sizes, Arc::new(account), Some(AtomicU64::new(0)));
        drop(pool.take(1024).unwrap());
        let _held = pool.take(2048).unwrap();
        assert_eq!(pool.stats().pooled, 0);
        assert!(matches!(pool.take(256), Err(Error::OutOfMemory { asked: 256, .. })));
        assert!(matches!(pool.take(usize::MAX), Err(Error::OutOfMemory { .. })), "no overflow");
        assert!(pool.stand_in().is_ok());
    }
}
