//! Faults: what wgpu reports, kept until somebody asks.

use crate::base::Error;
use parking_lot::Mutex;
use pollster::block_on;
use std::sync::Arc;
use wgpu::ErrorFilter::{Internal, OutOfMemory, Validation};

/// The first fault of a device; it stays.
#[derive(Debug)]
pub(super) struct Fault {
    first: Arc<Mutex<Option<Error>>>,
    device: wgpu::Device,
    queue: wgpu::Queue,
    /// Whether the callbacks belong to the program: what the library does on its device is watched by error scopes.
    foreign: bool,
}

impl Fault {
    /// Of a device that nobody else uses: its callbacks tell. They hold no more than the fault, or the device would hold itself.
    pub fn of_own(device: &wgpu::Device, queue: &wgpu::Queue) -> Self {
        let first = Arc::default();
        let (rejected, lost) = (Arc::clone(&first), Arc::clone(&first));
        device.on_uncaptured_error(Arc::new(move |error| keep(&rejected, reported(error))));
        device.set_device_lost_callback(move |_, message| keep(&lost, Error::DeviceLost(message)));
        Self { first, device: device.clone(), queue: queue.clone(), foreign: false }
    }

    /// Of a device of the program's own.
    pub fn of_foreign(device: &wgpu::Device, queue: &wgpu::Queue) -> Self {
        Self { first: Arc::default(), device: device.clone(), queue: queue.clone(), foreign: true }
    }

    /// Runs `f`, which asks something of the device, and keeps the first error of it that no callback of the library's would hear of.
    pub fn watch<R>(&self, f: impl FnOnce() -> R) -> R {
        if !self.foreign {
            return f();
        }
        let scopes = [Validation, OutOfMemory, Internal].map(|filter| self.device.push_error_scope(filter));
        let result = f();
        scopes.into_iter().rev().filter_map(|scope| block_on(scope.pop())).for_each(|error| self.set(reported(error)));
        result
    }

    pub fn set(&self, error: Error) {
        keep(&self.first, error);
    }

    /// The first fault. A lost device rejects commands before it says, at some later poll and to its callback alone, that it is lost:
    /// whether that is why is asked here.
    pub fn get(&self) -> Option<Error> {
        let first = self.first.lock().clone()?;
        if !matches!(first, Error::Validation(_) | Error::Kernel { .. }) || !is_lost(&self.device, &self.queue) {
            return Some(first);
        }
        let lost = Error::DeviceLost("it takes no commands any more".to_owned());
        Some(self.first.lock().insert(lost).clone())
    }
}

fn keep(first: &Mutex<Option<Error>>, error: Error) {
    first.lock().get_or_insert(error);
}

/// Whether a device rejects what is right: a lost one makes buffers that no command takes.
fn is_lost(device: &wgpu::Device, queue: &wgpu::Queue) -> bool {
    let scope = device.push_error_scope(Validation);
    let usage = wgpu::BufferUsages::COPY_DST;
    let buffer = device.create_buffer(&wgpu::BufferDescriptor { label: None, size: 4, usage, mapped_at_creation: false });
    queue.write_buffer(&buffer, 0, &[0; 4]);
    block_on(scope.pop()).is_some()
}

/// What wgpu reports, as the library says it.
fn reported(error: wgpu::Error) -> Error {
    match error {
        wgpu::Error::OutOfMemory { source } => Error::OutOfMemory { asked: 0, detail: source.to_string() },
        wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => Error::Validation(description),
    }
}
