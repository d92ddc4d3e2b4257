//! The memory of a GPU, and a tensor's place in it.

use crate::base::{Error, Lent, Memory, Result};

/// Makes the buffers of one GPU.
#[derive(Clone, Debug)]
pub(crate) struct GpuMemory {
    pub(super) device: wgpu::Device,
    /// The most bytes that one binding of this adapter may hold.
    pub(super) binding_limit: u64,
}

impl Memory for GpuMemory {
    type Buffer = wgpu::Buffer;

    fn make(&self, bytes: usize) -> Result<wgpu::Buffer> {
        let (bytes, limit) = (bytes as u64, self.binding_limit);
        if bytes > limit {
            return Err(Error::TensorTooLarge { bytes, limit });
        }
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        let desc = wgpu::BufferDescriptor { label: None, size: bytes, usage, mapped_at_creation: false };
        let buffer = self.device.create_buffer(&desc);
        match pollster::block_on(scope.pop()) {
            None => Ok(buffer),
            Some(e) => Err(Error::OutOfMemory { asked: bytes, detail: e.to_string() }),
        }
    }
}

/// A part of a GPU buffer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GpuView<'a> {
    pub buffer: &'a wgpu::Buffer,
    pub offset: u64,
    pub bytes: u64,
}

impl<'a> GpuView<'a> {
    pub fn new(lent: &'a Lent<GpuMemory>, offset: usize, bytes: usize) -> Self {
        Self { buffer: &lent.buffer, offset: offset as u64, bytes: bytes as u64 }
    }

    /// The elements themselves.
    pub fn slice(&self) -> wgpu::BufferSlice<'a> {
        self.buffer.slice(self.offset..self.offset + self.bytes)
    }

    /// Rounded up to 16 bytes, so that a kernel may bind any tensor as vec4; the pool's buffers are padded to 256, and others
    /// are refused that are too small.
    pub fn binding(&self) -> wgpu::BufferBinding<'a> {
        let size = self.bytes.max(1).next_multiple_of(16);
        wgpu::BufferBinding { buffer: self.buffer, offset: self.offset, size: wgpu::BufferSize::new(size) }
    }
}
