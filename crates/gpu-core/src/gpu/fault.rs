//! Faults: what wgpu reports, kept until somebody asks.

use crate::base::Error;
use parking_lot::Mutex;
use pollster::block_on;
use std::sync::Arc;
use wgpu::ErrorFilter::{Internal, OutOfMemory, Validation};

/// The first fault of a device; it stays.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    first: Arc<Mutex<Option<Error>>>,
    /// A device whose callbacks belong to the program: what the library does there is watched by error scopes.
    foreign: Option<(wgpu::Device, wgpu::Queue)>,
}

impl Fault {
    /// Of a device that nobody else uses: its callbacks tell.
    pub fn of_own(device: &wgpu::Device) -> Self {
        let fault = Self { first: Arc::default(), foreign: None };
        let (rejected, lost) = (fault.clone(), fault.clone());
        device.on_uncaptured_error(Arc::new(move |error| rejected.set(reported(error))));
        device.set_device_lost_callback(move |_, message| lost.set(Error::DeviceLost(message)));
        fault
    }

    /// Of a device of the program's own.
    pub fn of_foreign(device: &wgpu::Device, queue: &wgpu::Queue) -> Self {
        Self { first: Arc::default(), foreign: Some((device.clone(), queue.clone())) }
    }

    /// Runs `f`, which asks something of the device, and keeps the first error of it that no callback of the library's would hear of.
    pub fn watch<R>(&self, f: impl FnOnce() -> R) -> R {
        let Some((device, queue)) = &self.foreign else { return f() };
        let scopes = [Validation, OutOfMemory, Internal].map(|filter| device.push_error_scope(filter));
        let result = f();
        let errors = scopes.into_iter().rev().filter_map(|scope| block_on(scope.pop()));
        for error in errors {
            // Why a device was lost is told to its callback alone, which is the program's.
            let lost = matches!(error, wgpu::Error::Validation { .. }) && is_lost(device, queue);
            self.set(if lost { Error::DeviceLost("it takes no commands any more".to_owned()) } else { reported(error) });
        }
        result
    }

    pub fn set(&self, error: Error) {
        self.first.lock().get_or_insert(error);
    }

    pub fn get(&self) -> Option<Error> {
        self.first.lock().clone()
    }
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
