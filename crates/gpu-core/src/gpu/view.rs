//! A tensor's place in a GPU buffer.

use crate::pool::{Buffer, Storage};

/// A part of a GPU buffer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GpuView<'a> {
    pub buffer: &'a wgpu::Buffer,
    pub offset: u64,
    pub bytes: u64,
}

impl<'a> GpuView<'a> {
    pub fn new(storage: &'a Storage, offset: usize, bytes: usize) -> Self {
        let Buffer::Gpu(buffer) = &storage.buffer else { unreachable!("a GPU tensor lies in a GPU buffer") };
        Self { buffer, offset: offset as u64, bytes: bytes as u64 }
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
