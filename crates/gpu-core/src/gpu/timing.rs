//! How long the GPU itself works: timestamps around passes.

use super::pass::{GpuDispatch, UniformArena, encode, encode_each};
use super::{Gpu, GpuView};
use crate::base::Result;

/// Dispatches that are timed at once: a set has at most 4096 queries.
const TIMED: usize = 2048;

impl Gpu {
    fn has_timestamps(&self) -> bool {
        self.device.features().contains(wgpu::Features::TIMESTAMP_QUERY)
    }

    /// Runs a list and waits for it; the seconds between the timestamps before and after it, where the adapter has timestamps.
    pub(crate) fn run_timed(&self, list: &[GpuDispatch], uniforms: Option<&UniformArena>) -> Result<Option<f64>> {
        self.flush();
        self.check()?;
        if !self.has_timestamps() {
            self.submit_with(list, uniforms);
            return self.wait().map(|()| None);
        }
        let timer = self.timer(1);
        let encoder = encode(&self.device, list, uniforms, Some(&timer)).map_err(|e| self.fail(e))?;
        let seconds = self.spans(&timer, 1, encoder)?;
        Ok(Some(seconds[0]))
    }

    /// Runs a list, each dispatch in a pass of its own, and waits for it; the seconds of each, where the adapter has timestamps. Without
    /// them nothing runs.
    pub(crate) fn run_each_timed(&self, list: &[GpuDispatch], uniforms: Option<&UniformArena>) -> Result<Option<Vec<f64>>> {
        self.flush();
        self.check()?;
        if !self.has_timestamps() {
            return Ok(None);
        }
        let mut seconds = Vec::with_capacity(list.len());
        for (run, part) in list.chunks(TIMED).enumerate() {
            let timer = self.timer(part.len());
            let encoder = encode_each(&self.device, part, run * TIMED, uniforms, &timer).map_err(|e| self.fail(e))?;
            seconds.extend(self.spans(&timer, part.len(), encoder)?);
        }
        Ok(Some(seconds))
    }

    /// Two queries for each of `spans`.
    fn timer(&self, spans: usize) -> wgpu::QuerySet {
        let (ty, count) = (wgpu::QueryType::Timestamp, 2 * spans as u32);
        self.fault.watch(|| self.device.create_query_set(&wgpu::QuerySetDescriptor { label: Some("timer"), ty, count }))
    }

    /// Sends what was encoded and waits; the seconds between each two queries.
    fn spans(&self, timer: &wgpu::QuerySet, spans: usize, mut encoder: wgpu::CommandEncoder) -> Result<Vec<f64>> {
        let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
        let size = 16 * spans as u64;
        let desc = wgpu::BufferDescriptor { label: Some("timer"), size, usage, mapped_at_creation: false };
        let ticks = self.fault.watch(|| {
            let ticks = self.device.create_buffer(&desc);
            encoder.resolve_query_set(timer, 0..2 * spans as u32, &ticks, 0);
            self.queue.submit([encoder.finish()]);
            ticks
        });
        let period = f64::from(self.queue.get_timestamp_period()) * 1e-9;
        let span = |ticks: &[u8]| {
            let [begin, end]: [u64; 2] = bytemuck::pod_read_unaligned(ticks);
            end.saturating_sub(begin) as f64 * period
        };
        self.read(&GpuView { buffer: &ticks, offset: 0, bytes: size }, |bytes| bytes.chunks_exact(16).map(span).collect())
    }
}
