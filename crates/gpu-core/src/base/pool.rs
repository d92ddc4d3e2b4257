//! Buffers lent by size and given back on drop.
//!
//! Work on a device runs in the order in which it was asked for, so a buffer may be lent again as soon as its last tensor is
//! gone, even while the commands that use it still wait: no fence is needed. A capture owns a pool of its own.

use super::error::{Error, Result};
use super::machine::budget;
use parking_lot::Mutex;
use std::collections::HashMap;
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
    /// Given back and kept for the next tensor of the same size.
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
    free: Mutex<HashMap<usize, Vec<M::Buffer>>>,
    /// Bytes of this pool's own buffers, lent or free.
    made: AtomicU64,
    account: Arc<Account>,
}

impl<M: Memory> Pool<M> {
    pub fn new(memory: M) -> Arc<Self> {
        Self::with_account(memory, Arc::new(Account::new()))
    }

    fn with_account(memory: M, account: Arc<Account>) -> Arc<Self> {
        Arc::new(Self { memory, free: Mutex::default(), made: AtomicU64::new(0), account })
    }

    /// A second pool over the same memory: a capture's own.
    pub fn sibling(&self) -> Arc<Self> {
        Self::with_account(self.memory.clone(), self.account.clone())
    }

    pub fn stats(&self) -> MemoryStats {
        self.account.stats()
    }

    /// A buffer of at least `bytes`; what it holds is whatever was there.
    pub fn take(self: &Arc<Self>, bytes: usize) -> Result<Lent<M>> {
        let bytes = bytes.max(1).checked_next_multiple_of(ALIGN).unwrap_or(usize::MAX / ALIGN * ALIGN);
        let reused = self.free.lock().get_mut(&bytes).and_then(Vec::pop);
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

    /// Bytes of this pool's own buffers, lent or free.
    pub fn bytes(&self) -> u64 {
        self.made.load(Relaxed)
    }

    /// Frees the buffers that nobody uses.
    pub fn trim(&self) {
        let freed: u64 = self.free.lock().drain().map(|(bytes, list)| (bytes * list.len()) as u64).sum();
        self.account.pooled.fetch_sub(freed, Relaxed);
        self.made.fetch_sub(freed, Relaxed);
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
        pool.account.live.fetch_sub(self.bytes as u64, Relaxed);
        pool.account.pooled.fetch_add(self.bytes as u64, Relaxed);
        pool.free.lock().entry(self.bytes).or_default().push(self.buffer.clone());
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
        let pool = Pool::with_account(Sizes, Arc::new(account));
        drop(pool.take(1024).unwrap());
        let _held = pool.take(2048).unwrap();
        assert_eq!(pool.stats().pooled, 0);
        assert!(matches!(pool.take(256), Err(Error::OutOfMemory { asked: 256, .. })));
        assert!(matches!(pool.take(usize::MAX), Err(Error::OutOfMemory { .. })), "no overflow");
        assert!(pool.stand_in().is_ok());
    }
}
