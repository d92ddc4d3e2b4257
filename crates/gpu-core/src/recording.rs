//! What was asked of a device inside a capture: a list of resolved dispatches, kept to be replayed.

use crate::pool::{Pool, Storage};
use std::sync::Arc;

/// A list being recorded by [`crate::Device::capture`], with what keeps it valid.
#[derive(Debug)]
pub(crate) struct Recording<D> {
    pub list: Vec<D>,
    pub pool: Arc<Pool>,
    /// Storage from outside the capture's pool: a replay may come after its last tensor is gone.
    pub keep: Vec<Arc<Storage>>,
}

impl<D> Recording<D> {
    pub fn new(pool: Arc<Pool>) -> Self {
        Self { list: Vec::new(), pool, keep: Vec::new() }
    }

    pub fn keep(&mut self, storage: &Arc<Storage>) {
        if !storage.is_from(&self.pool) && !self.keep.iter().any(|s| Arc::ptr_eq(s, storage)) {
            self.keep.push(storage.clone());
        }
    }
}
