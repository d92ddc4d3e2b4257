//! Faults: what wgpu reports, kept until somebody asks.

use crate::base::Error;
use parking_lot::Mutex;
use std::sync::Arc;

/// The first fault of a device; it stays.
#[derive(Debug, Default, Clone)]
pub(super) struct Fault(Arc<Mutex<Option<Error>>>);

impl Fault {
    pub fn set(&self, error: Error) {
        self.0.lock().get_or_insert(error);
    }
    pub fn get(&self) -> Option<Error> {
        self.0.lock().clone()
    }
}

/// What wgpu reports outside an error scope.
pub(super) fn reported(error: wgpu::Error) -> Error {
    match error {
        wgpu::Error::OutOfMemory { source } => Error::OutOfMemory { asked: 0, detail: source.to_string() },
        wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => Error::Validation(description),
    }
}
