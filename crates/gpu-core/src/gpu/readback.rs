//! Reading results back: the only place that waits for the GPU.

use super::{Gpu, GpuView, TIMEOUT};
use crate::base::{Error, Result};
use futures_channel::oneshot;
use parking_lot::Mutex;
use std::sync::Arc;

/// Memory of the host's that what is read again and again goes through: a new one for each read costs more than the copy where there is
/// much of it. It holds as much as the largest tensor that was read by it, on the device of the last; see
/// [`Tensor::read_by`](crate::Tensor::read_by).
#[derive(Debug, Default)]
pub struct Staging(Mutex<Option<Kept>>);

#[derive(Debug)]
struct Kept {
    /// The device that it is of.
    gpu: usize,
    buffer: wgpu::Buffer,
}

/// A copy on its way to the host.
struct Staged {
    buffer: wgpu::Buffer,
    submission: wgpu::SubmissionIndex,
    mapped: oneshot::Receiver<std::result::Result<(), wgpu::BufferAsyncError>>,
}

impl Gpu {
    /// Shows `f` the bytes of a view, once everything asked before is done.
    pub(crate) fn read<R>(&self, view: &GpuView<'_>, f: impl FnOnce(&[u8]) -> R) -> Result<R> {
        Ok(self.read_through(view, None, f)?.0)
    }

    /// The same through memory that is kept.
    pub(crate) fn read_by<R>(&self, staging: &Staging, view: &GpuView<'_>, f: impl FnOnce(&[u8]) -> R) -> Result<R> {
        let mine = std::ptr::from_ref(self) as usize;
        let mut kept = staging.0.lock();
        let fits = kept.take().filter(|kept| kept.gpu == mine && kept.buffer.size() >= size_of(view));
        let (result, buffer) = self.read_through(view, fits.map(|kept| kept.buffer), f)?;
        buffer.unmap();
        *kept = Some(Kept { gpu: mine, buffer });
        Ok(result)
    }

    fn read_through<R>(
        &self,
        view: &GpuView<'_>,
        buffer: Option<wgpu::Buffer>,
        f: impl FnOnce(&[u8]) -> R,
    ) -> Result<(R, wgpu::Buffer)> {
        let staged = self.stage(view, buffer)?;
        self.wait_for(staged.submission.clone())?;
        let answer = pollster::block_on(staged.mapped);
        let result = self.finish(&staged.buffer, answer, |bytes| f(&bytes[..view.bytes as usize]))?;
        Ok((result, staged.buffer))
    }

    /// The same without blocking the caller: a thread of its own waits for the device.
    pub(crate) async fn read_async<R>(self: &Arc<Self>, view: GpuView<'_>, f: impl FnOnce(&[u8]) -> R) -> Result<R> {
        let staged = self.stage(&view, None)?;
        let (gpu, submission) = (self.clone(), staged.submission.clone());
        std::thread::spawn(move || gpu.wait_for(submission));
        let answer = staged.mapped.await;
        self.finish(&staged.buffer, answer, |bytes| f(&bytes[..view.bytes as usize]))
    }

    /// Through `buffer`, if there is one.
    fn stage(&self, view: &GpuView<'_>, buffer: Option<wgpu::Buffer>) -> Result<Staged> {
        self.flush();
        self.check()?;
        let size = size_of(view);
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let desc = wgpu::BufferDescriptor { label: Some("read-back"), size, usage, mapped_at_creation: false };
        self.fault.watch(|| {
            let buffer = buffer.unwrap_or_else(|| self.device.create_buffer(&desc));
            let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
            encoder.copy_buffer_to_buffer(view.buffer, view.offset, &buffer, 0, size);
            let submission = self.queue.submit([encoder.finish()]);
            let (done, mapped) = oneshot::channel();
            buffer.slice(..).map_async(wgpu::MapMode::Read, move |answer| drop(done.send(answer)));
            Ok(Staged { buffer, submission, mapped })
        })
    }

    fn wait_for(&self, submission: wgpu::SubmissionIndex) -> Result<()> {
        let answer = self.device.poll(wgpu::PollType::Wait { submission_index: Some(submission), timeout: Some(TIMEOUT) });
        if let Err(e) = answer {
            self.fail(Error::DeviceLost(e.to_string()));
        }
        self.check()
    }

    fn finish<R>(
        &self,
        buffer: &wgpu::Buffer,
        answer: std::result::Result<std::result::Result<(), wgpu::BufferAsyncError>, oneshot::Canceled>,
        f: impl FnOnce(&[u8]) -> R,
    ) -> Result<R> {
        self.check()?;
        let lost = |e: String| self.fail(Error::DeviceLost(e));
        answer.map_err(|e| lost(e.to_string()))?.map_err(|e| lost(e.to_string()))?;
        let range = buffer.slice(..).get_mapped_range().map_err(|e| lost(e.to_string()))?;
        Ok(f(&range))
    }
}

/// What is copied of it: whole words.
fn size_of(view: &GpuView<'_>) -> u64 {
    view.bytes.max(1).next_multiple_of(4)
}
