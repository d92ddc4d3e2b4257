//! The GPU device: adapter, queue, pipelines, submission, faults. With `pool` and `recording`, all that knows wgpu.

mod adapter;
mod pipeline;
mod readback;
mod rewrite;
mod timing;

pub(crate) use adapter::choose;
pub use adapter::{AdapterInfo, AdapterKind, adapters};
pub(crate) use pipeline::Pipeline;
pub use rewrite::{REWRITE_SLOT, Rewrite};

use crate::error::{Error, Result};
use crate::kernel::Constants;
use crate::pool::{Account, Buffer, Pool, Storage};
use crate::recording::{GpuDispatch, UniformArena, encode};
use parking_lot::Mutex;
use rewrite::Rewritten;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Commands that wait before they are sent on their own: enough to hide the cost of a submission.
const RECORDING_LIMIT: usize = 256;
/// A device that does not answer for so long is taken for lost.
const TIMEOUT: Duration = Duration::from_secs(300);

/// The first fault of a device; it stays.
#[derive(Debug, Default, Clone)]
struct Fault(Arc<Mutex<Option<Error>>>);

impl Fault {
    fn set(&self, error: Error) {
        self.0.lock().get_or_insert(error);
    }
    fn get(&self) -> Option<Error> {
        self.0.lock().clone()
    }
}

/// What wgpu reports outside an error scope.
fn reported(error: wgpu::Error) -> Error {
    match error {
        wgpu::Error::OutOfMemory { source } => Error::OutOfMemory { asked: 0, detail: source.to_string() },
        wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => Error::Validation(description),
    }
}

/// What makes a pipeline another one: the entry, where its source lies and how long it is, the constants, and whether it goes
/// without checks.
#[derive(Debug, PartialEq, Eq, Hash, Clone)]
struct PipelineKey {
    entry: &'static str,
    source: (usize, usize),
    constants: Vec<(&'static str, u32)>,
    trusted: bool,
}

/// The same without the entry, which a module has several of.
type ModuleKey = ((usize, usize), Constants, bool);

/// Two texts may begin at one place.
fn place_of(text: &'static str) -> (usize, usize) {
    (text.as_ptr() as usize, text.len())
}

/// An open GPU. Use it through [`crate::Device`].
#[derive(Debug)]
pub struct Gpu {
    device: wgpu::Device,
    queue: wgpu::Queue,
    info: AdapterInfo,
    immediates: bool,
    checked: bool,
    pool: Arc<Pool>,
    fault: Fault,
    recording: Mutex<Vec<GpuDispatch>>,
    pipelines: Mutex<HashMap<PipelineKey, Arc<Pipeline>>>,
    modules: Mutex<HashMap<ModuleKey, Arc<pipeline::Module>>>,
    params_layout: wgpu::BindGroupLayout,
    rewritten: Option<Rewritten>,
}

impl Gpu {
    fn open(adapter: &wgpu::Adapter, rewrite: Option<Rewrite>) -> Result<Self> {
        let info = AdapterInfo::of(adapter);
        info.check_minimum()?;
        let immediates = info.has_immediates() && std::env::var("WGRAD_IMMEDIATES").as_deref() != Ok("0");
        let (device, queue) = adapter::request(adapter)?;
        let fault = Fault::default();
        let (rejected, lost) = (fault.clone(), fault.clone());
        device.on_uncaptured_error(Arc::new(move |error| rejected.set(reported(error))));
        device.set_device_lost_callback(move |reason, message| {
            if reason != wgpu::DeviceLostReason::Destroyed {
                lost.set(Error::DeviceLost(message));
            }
        });
        let pool = Pool::gpu(device.clone(), info.max_binding_bytes, Arc::new(Account::new()));
        let params_layout = pipeline::params_layout(&device);
        let rewritten = match rewrite {
            Some(rewrite) => Some(Rewritten { rewrite, word: Arc::new(pool.take(4)?) }),
            None => None,
        };
        let checked = match std::env::var("WGRAD_CHECKED").as_deref() {
            Ok("0") => false,
            Ok("1") => true,
            _ => cfg!(debug_assertions),
        };
        Ok(Self {
            device,
            queue,
            info,
            immediates,
            checked,
            pool,
            fault,
            params_layout,
            rewritten,
            recording: Mutex::default(),
            pipelines: Mutex::default(),
            modules: Mutex::default(),
        })
    }

    /// The adapter's name, driver, limits and features.
    pub fn info(&self) -> &AdapterInfo {
        &self.info
    }

    /// The word that is bound to rewritten kernels.
    pub(crate) fn rewrite_word(&self) -> Option<&Arc<Storage>> {
        self.rewritten.as_ref().map(|rewritten| &rewritten.word)
    }

    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// The first fault, if there was one.
    pub(crate) fn check(&self) -> Result<()> {
        self.fault.get().map_or(Ok(()), Err)
    }

    pub(crate) fn fail(&self, error: Error) {
        self.fault.set(error);
    }

    /// The kernel's pipeline, whose compilation has begun; a wrong source is a fault of the device, and the launch is dropped.
    pub(crate) fn pipeline(
        &self,
        entry: &'static str,
        wgsl: &'static str,
        constants: &Constants,
        trusted: bool,
    ) -> Option<Arc<Pipeline>> {
        if self.fault.get().is_some() {
            return None;
        }
        let key = PipelineKey { entry, source: place_of(wgsl), constants: constants.to_vec(), trusted };
        if let Some(pipeline) = self.pipelines.lock().get(&key) {
            return Some(pipeline.clone());
        }
        match self.prepare(entry, wgsl, constants, trusted) {
            Ok(prepared) => {
                // A second thread may have been as far; only what lies in the map is ever compiled.
                let pipeline = self.pipelines.lock().entry(key).or_insert(Arc::new(prepared)).clone();
                pipeline.begin();
                Some(pipeline)
            }
            Err(error) => {
                self.fail(error);
                None
            }
        }
    }

    /// Waits until all kernels of a list are compiled; the first that cannot be is a fault of the device.
    pub(crate) fn compile(&self, list: &[GpuDispatch]) -> Result<()> {
        self.check()?;
        list.iter().try_for_each(|d| d.pipeline.compiled().map(drop)).inspect_err(|e| self.fail(e.clone()))
    }

    /// Binds tensors to a kernel's slots in their order: the read ones to inputs, the written ones to outputs.
    pub(crate) fn bind(&self, pipeline: &Pipeline, inputs: &[GpuView<'_>], outputs: &[GpuView<'_>]) -> wgpu::BindGroup {
        let (mut inputs, mut outputs) = (inputs.iter(), outputs.iter());
        let mut entries: Vec<_> = pipeline
            .slots
            .iter()
            .map(|&(binding, written)| {
                let view = if written { outputs.next() } else { inputs.next() };
                let view = view.expect("launch has counted the slots");
                wgpu::BindGroupEntry { binding, resource: wgpu::BindingResource::Buffer(view.binding()) }
            })
            .collect();
        if let Some(word) = self.rewrite_word() {
            let resource = wgpu::BindingResource::Buffer(GpuView::new(word, 0, 4).binding());
            entries.push(wgpu::BindGroupEntry { binding: REWRITE_SLOT, resource });
        }
        self.device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout: &pipeline.layout, entries: &entries })
    }

    /// Appends to the list that waits.
    pub(crate) fn record(&self, dispatch: GpuDispatch) {
        let mut recording = self.recording.lock();
        recording.push(dispatch);
        if recording.len() >= RECORDING_LIMIT {
            let list = std::mem::take(&mut *recording);
            self.submit(&list);
        }
    }

    /// Sends what waits; does not wait for it.
    pub(crate) fn flush(&self) {
        // The lock is held while submitting, so that two threads cannot swap the order of their lists.
        let mut recording = self.recording.lock();
        if !recording.is_empty() {
            let list = std::mem::take(&mut *recording);
            self.submit(&list);
        }
    }

    fn submit(&self, list: &[GpuDispatch]) {
        let uniforms = (!self.immediates).then(|| self.uniforms(list));
        self.submit_with(list, uniforms.as_ref());
    }

    pub(crate) fn uniforms(&self, list: &[GpuDispatch]) -> UniformArena {
        UniformArena::new(&self.device, &self.queue, &self.params_layout, list)
    }

    pub(crate) fn uses_immediates(&self) -> bool {
        self.immediates
    }

    pub(crate) fn submit_with(&self, list: &[GpuDispatch], uniforms: Option<&UniformArena>) {
        if self.fault.get().is_some() {
            return;
        }
        match encode(&self.device, list, uniforms, None) {
            Ok(encoder) => drop(self.queue.submit([encoder.finish()])),
            Err(error) => return self.fail(error),
        }
        // Lets wgpu retire what is done; an error here shows again at the next wait.
        let _ = self.device.poll(wgpu::PollType::Poll);
    }

    /// Waits until all that was sent is done.
    pub(crate) fn wait(&self) -> Result<()> {
        let answer = self.device.poll(wgpu::PollType::Wait { submission_index: None, timeout: Some(TIMEOUT) });
        self.check()?;
        answer.map(drop).map_err(|e| {
            self.fail(Error::DeviceLost(e.to_string()));
            Error::DeviceLost(e.to_string())
        })
    }

    /// Uploads into a buffer, after all that was recorded: an upload overtakes what is recorded but not sent.
    pub(crate) fn write(&self, view: &GpuView<'_>, bytes: &[u8]) {
        self.flush();
        if self.fault.get().is_some() {
            return;
        }
        let whole = bytes.len() / 4 * 4;
        self.queue.write_buffer(view.buffer, view.offset, &bytes[..whole]);
        if whole < bytes.len() {
            let mut last = [0; 4];
            last[..bytes.len() - whole].copy_from_slice(&bytes[whole..]);
            self.queue.write_buffer(view.buffer, view.offset + whole as u64, &last);
        }
    }
}

impl Drop for Gpu {
    /// Waits for what is being compiled: drivers do not bear a process that ends while a thread of it is inside them.
    fn drop(&mut self) {
        self.recording.get_mut().clear();
        for pipeline in self.pipelines.get_mut().values().filter(|p| Arc::strong_count(p) > 1) {
            let _ = pipeline.compiled();
        }
    }
}

/// A part of a GPU buffer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GpuView<'a> {
    buffer: &'a wgpu::Buffer,
    offset: u64,
    bytes: u64,
}

impl<'a> GpuView<'a> {
    pub fn new(storage: &'a Storage, offset: usize, bytes: usize) -> Self {
        let Buffer::Gpu(buffer) = &storage.buffer else { unreachable!("a GPU tensor lies in a GPU buffer") };
        Self { buffer, offset: offset as u64, bytes: bytes as u64 }
    }

    /// Rounded up to 16 bytes, so that a kernel may bind any tensor as vec4; buffers are padded to 256.
    fn binding(&self) -> wgpu::BufferBinding<'a> {
        let size = self.bytes.max(1).next_multiple_of(16);
        wgpu::BufferBinding { buffer: self.buffer, offset: self.offset, size: wgpu::BufferSize::new(size) }
    }
}
