//! The GPU device: adapter, queue, pipelines, submission, faults. All that knows wgpu.

mod adapter;
mod fault;
mod memory;
mod pass;
mod pipeline;
mod pipelines;
mod readback;
mod rewrite;
mod timing;
mod unchecked;
mod wgsl;

pub use adapter::{AdapterInfo, AdapterKind, MatrixUnits, adapters, choose_adapter, chosen_adapter};
pub(crate) use memory::{GpuMemory, GpuView};
pub(crate) use pass::{GpuDispatch, UniformArena};
pub(crate) use pipeline::{PARAMS_BYTES, Pipeline};
pub use readback::Staging;
pub use rewrite::{REWRITE_SLOT, Rewrite};
pub use wgsl::{Constants, KernelInfo};

use crate::base::{Error, Lent, Pool, Result, budget};
use fault::Fault;
use parking_lot::Mutex;
use pass::encode;
use pipelines::Pipelines;
use std::sync::Arc;
use std::time::Duration;

/// Commands that wait before they are sent on their own: enough to hide the cost of a submission.
const WAITING_LIMIT: usize = 256;
/// A device that does not answer for so long is taken for lost.
const TIMEOUT: Duration = Duration::from_secs(300);

/// An open GPU. Use it through [`crate::Device`].
#[derive(Debug)]
pub struct Gpu {
    device: wgpu::Device,
    queue: wgpu::Queue,
    info: AdapterInfo,
    pool: Arc<Pool<GpuMemory>>,
    fault: Fault,
    waiting: Mutex<Vec<GpuDispatch>>,
    pipelines: Pipelines,
    /// The word that is bound to rewritten kernels.
    rewrite_word: Option<Arc<Lent<GpuMemory>>>,
}

impl Gpu {
    /// Opens the preferred adapter, or the one that `WGRAD_ADAPTER` names; without `software`, only a hardware GPU or a named one.
    /// `rewrite` changes its kernels before they are compiled.
    pub(crate) fn open(software: bool, rewrite: Option<Arc<dyn Rewrite>>) -> Result<Self> {
        Self::open_adapter(adapter::choose(software, chosen_adapter())?, rewrite)
    }

    /// Opens the adapter that is named as `WGRAD_ADAPTER` would name it.
    pub(crate) fn open_named(wanted: &str) -> Result<Self> {
        Self::open_adapter(adapter::choose(true, Some(wanted.to_owned()))?, None)
    }

    fn open_adapter(adapter: wgpu::Adapter, rewrite: Option<Arc<dyn Rewrite>>) -> Result<Self> {
        let info = AdapterInfo::of(&adapter);
        if let Some(what) = info.lacks() {
            return Err(Error::AdapterTooSmall { adapter: info.name, what });
        }
        let (device, queue) = adapter::request(&adapter)?;
        let info = AdapterInfo::of_device(&device, &adapter.cooperative_matrix_properties());
        let fault = Fault::of_own(&device, &queue);
        Self::on(device, queue, info, fault, rewrite)
    }

    /// On a device of the program's own, whose callbacks stay the program's.
    pub(crate) fn from_wgpu(device: wgpu::Device, queue: wgpu::Queue) -> Result<Self> {
        let info = AdapterInfo::of_device(&device, &[]);
        match info.lacks() {
            Some(what) => Err(Error::DeviceTooSmall { adapter: info.name, what }),
            None => {
                let fault = Fault::of_foreign(&device, &queue);
                Self::on(device, queue, info, fault, None)
            }
        }
    }

    fn on(
        device: wgpu::Device,
        queue: wgpu::Queue,
        info: AdapterInfo,
        fault: Fault,
        rewrite: Option<Arc<dyn Rewrite>>,
    ) -> Result<Self> {
        budget()?;
        let immediates = info.has_immediates() && std::env::var("WGRAD_IMMEDIATES").as_deref() != Ok("0");
        let pool = Pool::new(GpuMemory { device: device.clone(), binding_limit: info.max_binding_bytes });
        let rewrite_word = rewrite.as_ref().map(|_| pool.take(4).map(Arc::new)).transpose()?;
        let pipelines = Pipelines::new(device.clone(), immediates, rewrite);
        Ok(Self { device, queue, info, pool, fault, waiting: Mutex::default(), pipelines, rewrite_word })
    }

    /// The wgpu device and its queue: for a program that works on tensors by commands of its own, see [`Tensor::buffer`](crate::Tensor::buffer).
    pub fn wgpu(&self) -> (&wgpu::Device, &wgpu::Queue) {
        (&self.device, &self.queue)
    }

    /// The adapter's name, driver, limits and features.
    pub fn info(&self) -> &AdapterInfo {
        &self.info
    }

    /// The word that is bound to rewritten kernels.
    pub(crate) fn rewrite_word(&self) -> Option<&Arc<Lent<GpuMemory>>> {
        self.rewrite_word.as_ref()
    }

    pub(crate) fn pool(&self) -> &Arc<Pool<GpuMemory>> {
        &self.pool
    }

    /// The first fault, if there was one.
    pub(crate) fn check(&self) -> Result<()> {
        self.fault.get().map_or(Ok(()), Err)
    }

    /// Keeps a fault, and says what is to be told: the first.
    pub(crate) fn fail(&self, error: Error) -> Error {
        self.fault.set(error.clone());
        self.fault.get().unwrap_or(error)
    }

    /// The kernel's pipeline, whose compilation has begun; a wrong source is a fault of the device, and the launch is dropped.
    pub(crate) fn pipeline(&self, kernel: &KernelInfo, constants: &Constants, trusted: bool) -> Option<Arc<Pipeline>> {
        if self.fault.get().is_some() {
            return None;
        }
        self.pipelines.get(kernel, constants, trusted).map_err(|error| self.fail(error)).ok()
    }

    /// Waits until all kernels of a list are compiled; the first that cannot be is a fault of the device.
    pub(crate) fn compile(&self, list: &[GpuDispatch]) -> Result<()> {
        self.check()?;
        list.iter().try_for_each(|d| d.pipeline.compiled().map(drop)).map_err(|e| self.fail(e))
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
        let desc = wgpu::BindGroupDescriptor { label: None, layout: &pipeline.layout, entries: &entries };
        self.fault.watch(|| self.device.create_bind_group(&desc))
    }

    /// Appends to the list that waits.
    pub(crate) fn record(&self, dispatch: GpuDispatch) {
        let mut waiting = self.waiting.lock();
        waiting.push(dispatch);
        if waiting.len() >= WAITING_LIMIT {
            let list = std::mem::take(&mut *waiting);
            self.submit(&list);
        }
    }

    /// Sends what waits; does not wait for it.
    pub(crate) fn flush(&self) {
        // The lock is held while submitting, so that two threads cannot swap the order of their lists.
        let mut waiting = self.waiting.lock();
        if !waiting.is_empty() {
            let list = std::mem::take(&mut *waiting);
            self.submit(&list);
        }
    }

    fn submit(&self, list: &[GpuDispatch]) {
        let uniforms = (!self.uses_immediates()).then(|| self.uniforms(list));
        self.submit_with(list, uniforms.as_ref());
    }

    pub(crate) fn uniforms(&self, list: &[GpuDispatch]) -> UniformArena {
        self.fault.watch(|| UniformArena::new(&self.device, &self.queue, &self.pipelines.params_layout, list))
    }

    pub(crate) fn uses_immediates(&self) -> bool {
        self.pipelines.immediates
    }

    pub(crate) fn submit_with(&self, list: &[GpuDispatch], uniforms: Option<&UniformArena>) {
        if self.fault.get().is_some() {
            return;
        }
        let sent = self.fault.watch(|| {
            let encoder = encode(&self.device, list, uniforms, None)?;
            self.queue.submit([encoder.finish()]);
            Ok(())
        });
        if let Err(error) = sent {
            self.fail(error);
            return;
        }
        // Lets wgpu retire what is done; an error here shows again at the next wait.
        let _ = self.device.poll(wgpu::PollType::Poll);
    }

    /// Waits until all that was sent is done.
    pub(crate) fn wait(&self) -> Result<()> {
        let answer = self.device.poll(wgpu::PollType::Wait { submission_index: None, timeout: Some(TIMEOUT) });
        self.check()?;
        answer.map(drop).map_err(|e| self.fail(Error::DeviceLost(e.to_string())))
    }

    /// Uploads into a buffer, after all that was recorded: an upload overtakes what is recorded but not sent.
    pub(crate) fn write(&self, view: &GpuView<'_>, bytes: &[u8]) {
        self.flush();
        if self.fault.get().is_some() {
            return;
        }
        let whole = bytes.len() / 4 * 4;
        self.fault.watch(|| {
            self.queue.write_buffer(view.buffer, view.offset, &bytes[..whole]);
            if whole < bytes.len() {
                let mut last = [0; 4];
                last[..bytes.len() - whole].copy_from_slice(&bytes[whole..]);
                self.queue.write_buffer(view.buffer, view.offset + whole as u64, &last);
            }
        });
    }
}

impl Drop for Gpu {
    /// Waits for what is being compiled: drivers do not bear a process that ends while a thread of it is inside them.
    fn drop(&mut self) {
        self.waiting.get_mut().clear();
        self.pipelines.finish();
    }
}
