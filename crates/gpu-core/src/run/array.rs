//! The memory of a tensor: elements of one type in a part of a buffer.

use super::host::{HostMemory, HostView};
use crate::base::{DType, Lent, Shape};
use crate::gpu::{GpuMemory, GpuView};
use std::sync::Arc;

/// Memory that several tensors may share; the last one gives it back.
#[derive(Debug, Clone)]
pub(crate) enum Storage {
    Host(Arc<Lent<HostMemory>>),
    Gpu(Arc<Lent<GpuMemory>>),
}

impl Storage {
    /// Whether both are one buffer.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Host(a), Self::Host(b)) => Arc::ptr_eq(a, b),
            (Self::Gpu(a), Self::Gpu(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

/// A tensor without its device: a shape, an element type, and the memory. Cloning it clones a handle to the same memory.
#[derive(Debug, Clone)]
pub struct Array {
    pub(crate) shape: Shape,
    pub(crate) dtype: DType,
    pub(crate) storage: Storage,
    /// Where it begins in its storage.
    pub(crate) offset_bytes: usize,
}

impl Array {
    /// Its extents.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Its element type.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Bytes of its elements.
    pub fn bytes(&self) -> usize {
        self.shape.len() * self.dtype.bytes()
    }

    /// Whether both are the same bytes of memory.
    pub fn is_same_memory(&self, other: &Self) -> bool {
        let same_place = self.storage.is(&other.storage) && self.offset_bytes == other.offset_bytes;
        same_place && self.bytes() == other.bytes()
    }

    /// Whether they have a byte in common.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let ends_before = |a: &Self, b: &Self| a.offset_bytes + a.bytes() <= b.offset_bytes;
        let is_some = self.bytes().min(other.bytes()) > 0;
        is_some && self.storage.is(&other.storage) && !ends_before(self, other) && !ends_before(other, self)
    }

    /// The memory of a tensor on the CPU device.
    pub(crate) fn host(&self) -> &Arc<Lent<HostMemory>> {
        match &self.storage {
            Storage::Host(lent) => lent,
            Storage::Gpu(_) => unreachable!("a CPU tensor lies in host memory"),
        }
    }

    /// The memory of a tensor on a GPU.
    pub(crate) fn gpu(&self) -> &Arc<Lent<GpuMemory>> {
        match &self.storage {
            Storage::Gpu(lent) => lent,
            Storage::Host(_) => unreachable!("a GPU tensor lies in a GPU buffer"),
        }
    }

    pub(crate) fn host_view(&self) -> HostView {
        HostView { buffer: self.host().buffer.clone(), bytes: self.offset_bytes..self.offset_bytes + self.bytes() }
    }

    pub(crate) fn gpu_view(&self) -> GpuView<'_> {
        GpuView::new(self.gpu(), self.offset_bytes, self.bytes())
    }

    /// Shows `f` the bytes of a CPU tensor.
    pub(crate) fn with_host_bytes<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        let view = self.host_view();
        let words = view.buffer.read_recursive();
        f(&bytemuck::cast_slice::<u64, u8>(&words)[view.bytes])
    }

    pub(crate) fn set_host_bytes(&self, bytes: &[u8]) {
        let view = self.host_view();
        let mut words = view.buffer.write();
        bytemuck::cast_slice_mut::<u64, u8>(&mut words)[view.bytes].copy_from_slice(bytes);
    }
}
