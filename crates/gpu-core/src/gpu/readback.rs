//! Reading results back: the only place that waits for the GPU.

use super::{Gpu, GpuView, TIMEOUT};
use crate::base::{Error, Result};
use futures_channel::oneshot;
use std::sync::Arc;

/// A copy on its way to the host.
struct Staged {
    buffer: wgpu::Buffer,
    submission: wgpu::SubmissionIndex,
    mapped: oneshot::Receiver<std::result::Result<(), wgpu::BufferAsyncError>>,
}

impl Gpu {
    /// Shows `f` the bytes of a view, once everything asked before is done.
    pub(crate) fn read<R>(&self, view: &GpuView<'_>, f: impl FnOnce(&[u8]) -> R) -> Result<R> {
        let staged = self.stage(view)?;
        self.wait_for(staged.submission.clone())?;
        let answer = pollster::block_on(staged.mapped);
        self.finish(&staged.buffer, answer, |bytes| f(&bytes[..view.bytes as usize]))
    }

    /// The same without blocking the caller: a thread of its own waits for the device.
    pub(crate) async fn read_async<R>(self: &Arc<Self>, view: GpuView<'_>, f: impl FnOnce(&[u8]) -> R) -> Result<R> {
        let staged = self.stage(&view)?;
        let (gpu, submission) = (self.clone(), staged.submission.clone());
        std::thread::spawn(move || gpu.wait_for(submission));
        let answer = staged.mapped.await;
        self.finish(&staged.buffer, answer, |bytes| f(&bytes[..view.bytes as usize]))
    }

    fn stage(&self, view: &GpuView<'_>) -> Result<Staged> {
        self.flush();
        self.check()?;
        let size = view.bytes.max(1).next_multiple_of(4);
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let desc = wgpu::BufferDescriptor { label: Some("read-back"), size, usage, mapped_at_creation: false };
        self.fault.watch(|| {
            let buffer = self.device.create_buffer(&desc);
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
