//! A list of resolved dispatches, and how it becomes a compute pass.

use super::pipeline::{PARAMS_BYTES, Pipeline};
use crate::base::Result;
use std::sync::Arc;

/// A pipeline with its bindings, its parameters and its grid.
#[derive(Debug, Clone)]
pub(crate) struct GpuDispatch {
    pub entry: &'static str,
    pub pipeline: Arc<Pipeline>,
    pub bind_group: wgpu::BindGroup,
    pub params: Vec<u8>,
    pub groups: [u32; 3],
}

/// The uniform arena: the way of the parameters on adapters without immediates.
#[derive(Debug)]
pub(crate) struct UniformArena {
    group: wgpu::BindGroup,
    stride: u32,
}

impl UniformArena {
    /// One slot a dispatch, filled at once.
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue, layout: &wgpu::BindGroupLayout, list: &[GpuDispatch]) -> Self {
        let stride = device.limits().min_uniform_buffer_offset_alignment.max(PARAMS_BYTES as u32);
        let mut bytes = vec![0; stride as usize * list.len().max(1)];
        for (slot, dispatch) in bytes.chunks_mut(stride as usize).zip(list) {
            slot[..dispatch.params.len()].copy_from_slice(&dispatch.params);
        }
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let desc = wgpu::BufferDescriptor { label: Some("params"), size: bytes.len() as u64, usage, mapped_at_creation: false };
        let buffer = device.create_buffer(&desc);
        queue.write_buffer(&buffer, 0, &bytes);
        let window = wgpu::BufferBinding { buffer: &buffer, offset: 0, size: wgpu::BufferSize::new(PARAMS_BYTES as u64) };
        let entries = [wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::Buffer(window) }];
        let group = device.create_bind_group(&wgpu::BindGroupDescriptor { label: Some("params"), layout, entries: &entries });
        Self { group, stride }
    }
}

/// Encodes a list into one compute pass, timed by the first two queries of `timer`. Barriers between dispatches are wgpu's.
/// It waits for pipelines that are not compiled yet; the error is that of the first that cannot be.
pub(crate) fn encode(
    device: &wgpu::Device,
    list: &[GpuDispatch],
    uniforms: Option<&UniformArena>,
    timer: Option<&wgpu::QuerySet>,
) -> Result<wgpu::CommandEncoder> {
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
    {
        let timestamp_writes = timer.map(|query_set| wgpu::ComputePassTimestampWrites {
            query_set,
            beginning_of_pass_write_index: Some(0),
            end_of_pass_write_index: Some(1),
        });
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes });
        let mut current: Option<&Arc<Pipeline>> = None;
        for (i, dispatch) in list.iter().enumerate() {
            if !current.is_some_and(|p| Arc::ptr_eq(p, &dispatch.pipeline)) {
                pass.set_pipeline(dispatch.pipeline.compiled()?);
                current = Some(&dispatch.pipeline);
            }
            dispatch.encode(&mut pass, i, uniforms);
        }
    }
    Ok(encoder)
}

/// The same with a pass for each dispatch from number `first` on, timed by two queries of `timer` each.
pub(crate) fn encode_each(
    device: &wgpu::Device,
    list: &[GpuDispatch],
    first: usize,
    uniforms: Option<&UniformArena>,
    timer: &wgpu::QuerySet,
) -> Result<wgpu::CommandEncoder> {
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
    for (i, dispatch) in list.iter().enumerate() {
        let timestamp_writes = Some(wgpu::ComputePassTimestampWrites {
            query_set: timer,
            beginning_of_pass_write_index: Some(2 * i as u32),
            end_of_pass_write_index: Some(2 * i as u32 + 1),
        });
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes });
        pass.set_pipeline(dispatch.pipeline.compiled()?);
        dispatch.encode(&mut pass, first + i, uniforms);
    }
    Ok(encoder)
}

impl GpuDispatch {
    /// Into a pass whose pipeline is set; `i` is its number among the `uniforms`.
    fn encode(&self, pass: &mut wgpu::ComputePass<'_>, i: usize, uniforms: Option<&UniformArena>) {
        pass.set_bind_group(0, &self.bind_group, &[]);
        match uniforms {
            _ if self.pipeline.params_bytes == 0 => {}
            Some(arena) => pass.set_bind_group(1, &arena.group, &[i as u32 * arena.stride]),
            None => pass.set_immediates(0, &self.params),
        }
        let [x, y, z] = self.groups;
        pass.dispatch_workgroups(x, y, z);
    }
}
