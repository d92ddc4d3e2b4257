//! How long the GPU itself works: timestamps around a pass.

use super::{Gpu, GpuView};
use crate::error::Result;
use crate::recording::{GpuDispatch, UniformArena, encode};

impl Gpu {
    /// Runs a list and waits for it; the seconds between the timestamps before and after it, where the adapter has timestamps.
    pub(crate) fn run_timed(&self, list: &[GpuDispatch], uniforms: Option<&UniformArena>) -> Result<Option<f64>> {
        self.flush();
        self.check()?;
        if !self.device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            self.submit_with(list, uniforms);
            return self.wait().map(|()| None);
        }
        let desc = wgpu::QuerySetDescriptor { label: Some("timer"), ty: wgpu::QueryType::Timestamp, count: 2 };
        let timer = self.device.create_query_set(&desc);
        let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
        let desc = wgpu::BufferDescriptor { label: Some("timer"), size: 16, usage, mapped_at_creation: false };
        let ticks = self.device.create_buffer(&desc);
        let mut encoder = encode(&self.device, list, uniforms, Some(&timer)).inspect_err(|e| self.fail(e.clone()))?;
        encoder.resolve_query_set(&timer, 0..2, &ticks, 0);
        self.queue.submit([encoder.finish()]);
        let bytes = self.read(&GpuView { buffer: &ticks, offset: 0, bytes: 16 })?;
        let [begin, end]: [u64; 2] = bytemuck::pod_read_unaligned(&bytes);
        Ok(Some(end.saturating_sub(begin) as f64 * f64::from(self.queue.get_timestamp_period()) * 1e-9))
    }
}
