//! What was asked of a device: a list of resolved dispatches, sent once or kept and replayed.

use crate::error::Result;
use crate::gpu::Pipeline;
use crate::kernel::{Args, Constants};
use crate::pool::{HostBuffer, Pool, Storage};
use parking_lot::{RwLockReadGuard, RwLockWriteGuard};
use std::ops::Range;
use std::sync::Arc;

/// A part of a host buffer, in bytes.
#[derive(Debug, Clone)]
pub(crate) struct HostView {
    pub buffer: Arc<HostBuffer>,
    pub bytes: Range<usize>,
}

/// A mirror with all that it needs.
#[derive(Debug, Clone)]
pub(crate) struct HostDispatch {
    pub entry: &'static str,
    pub mirror: fn(&mut Args<'_>),
    pub params: Vec<u8>,
    pub constants: Constants,
    pub inputs: Vec<HostView>,
    pub outputs: Vec<HostView>,
}

impl HostDispatch {
    /// Runs the mirror on the calling thread (and rayon's).
    pub fn run(&self) {
        // Recursive: one tensor may be several inputs, and a job stolen by a waiting thread may read the same weights.
        let reads: Vec<RwLockReadGuard<'_, Vec<u64>>> = self.inputs.iter().map(|v| v.buffer.read_recursive()).collect();
        // Two outputs may be views into one arena; such a buffer is locked once and split.
        let mut order: Vec<usize> = (0..self.outputs.len()).collect();
        order.sort_by_key(|&i| (Arc::as_ptr(&self.outputs[i].buffer) as usize, self.outputs[i].bytes.start));
        let mut guards: Vec<RwLockWriteGuard<'_, Vec<u64>>> = Vec::with_capacity(order.len());
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for &i in &order {
            let view = &self.outputs[i];
            match groups.last_mut() {
                Some(group) if Arc::ptr_eq(&self.outputs[group[0]].buffer, &view.buffer) => group.push(i),
                _ => {
                    guards.push(view.buffer.write());
                    groups.push(vec![i]);
                }
            }
        }
        let mut outputs: Vec<Option<&mut [u8]>> = self.outputs.iter().map(|_| None).collect();
        for (guard, group) in guards.iter_mut().zip(&groups) {
            let (mut rest, mut at): (&mut [u8], usize) = (bytemuck::cast_slice_mut(guard.as_mut_slice()), 0);
            for &i in group {
                let bytes = self.outputs[i].bytes.clone();
                let (_, tail) = rest.split_at_mut(bytes.start - at);
                let (mine, tail) = tail.split_at_mut(bytes.len());
                outputs[i] = Some(mine);
                (rest, at) = (tail, bytes.end);
            }
        }
        let inputs = self.inputs.iter().zip(&reads).map(|(v, r)| &bytemuck::cast_slice(r.as_slice())[v.bytes.clone()]);
        (self.mirror)(&mut Args::new(&self.params, &self.constants, inputs.collect(), outputs));
    }
}

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

/// Bytes that a kernel's `Params` may take: what adapters with immediates offer at least.
pub(crate) const PARAMS_BYTES: usize = 128;

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

/// A list being recorded by [`crate::Device::capture`], with what keeps it valid.
#[derive(Debug)]
pub(crate) struct Tape<D> {
    pub list: Vec<D>,
    pub pool: Arc<Pool>,
    /// Storage from outside the capture's pool: a replay may come after its last tensor is gone.
    pub keep: Vec<Arc<Storage>>,
}

impl<D> Tape<D> {
    pub fn new(pool: Arc<Pool>) -> Self {
        Self { list: Vec::new(), pool, keep: Vec::new() }
    }

    pub fn keep(&mut self, storage: &Arc<Storage>) {
        if !storage.is_from(&self.pool) && !self.keep.iter().any(|s| Arc::ptr_eq(s, storage)) {
            self.keep.push(storage.clone());
        }
    }
}
