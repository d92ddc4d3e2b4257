//! The memory of a tensor: elements of one type in a part of a buffer.

use crate::dtype::DType;
use crate::gpu::GpuView;
use crate::host::HostView;
use crate::pool::{Buffer, Storage};
use crate::shape::Shape;
use std::sync::Arc;

/// A tensor without its device: a shape, an element type, and the memory. Cloning it clones a handle to the same memory.
#[derive(Debug, Clone)]
pub struct Array {
    pub(crate) shape: Shape,
    pub(crate) dtype: DType,
    pub(crate) storage: Arc<Storage>,
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
        let same_place = Arc::ptr_eq(&self.storage, &other.storage) && self.offset_bytes == other.offset_bytes;
        same_place && self.bytes() == other.bytes()
    }

    pub(crate) fn host_view(&self) -> HostView {
        let Buffer::Host(buffer) = &self.storage.buffer else { unreachable!("a CPU tensor lies in host memory") };
        HostView { buffer: buffer.clone(), bytes: self.offset_bytes..self.offset_bytes + self.bytes() }
    }

    pub(crate) fn gpu_view(&self) -> GpuView<'_> {
        GpuView::new(&self.storage, self.offset_bytes, self.bytes())
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
