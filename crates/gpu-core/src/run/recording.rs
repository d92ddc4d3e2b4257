//! What was asked of a device inside a capture: a list of resolved dispatches, kept to be replayed.

use crate::base::{Lent, Memory, Pool};
use std::sync::Arc;

/// A list being recorded by [`crate::Device::capture`], with what keeps it valid.
#[derive(Debug)]
pub(crate) struct Recording<M: Memory, D> {
    pub list: Vec<D>,
    pub pool: Arc<Pool<M>>,
    /// Memory from outside the capture's pool: a replay may come after its last tensor is gone.
    pub keep: Vec<Arc<Lent<M>>>,
}

impl<M: Memory, D> Recording<M, D> {
    pub fn new(pool: Arc<Pool<M>>) -> Self {
        Self { list: Vec::new(), pool, keep: Vec::new() }
    }

    pub fn keep(&mut self, lent: &Arc<Lent<M>>) {
        if !lent.is_from(&self.pool) && !self.keep.iter().any(|s| Arc::ptr_eq(s, lent)) {
            self.keep.push(lent.clone());
        }
    }
}
