//! Where work runs in the end: the CPU, or a GPU.

use super::array::{Array, Storage};
use super::host;
use crate::base::{DType, MemoryStats, Result, Shape};
use crate::gpu::{Gpu, Rewrite};
use std::sync::Arc;

/// The CPU or a GPU: a [`Device`](crate::Device) without its observers. `Device::from` makes a device of it.
#[derive(Debug, Clone)]
pub enum Place {
    /// The mirrors, on all cores.
    Cpu,
    /// A GPU through wgpu.
    Gpu(Arc<Gpu>),
}

impl Place {
    /// A GPU as [`Device::gpu`](crate::Device::gpu) opens it, whose kernels `rewrite` changes before they are compiled, all with bounds
    /// checks; and the word, 0 at first, that is bound to each of them. It needs room for one storage buffer more than kernels take.
    ///
    /// # Errors
    /// If there is no GPU, or it cannot be opened.
    pub fn rewritten(rewrite: Arc<dyn Rewrite>) -> Result<(Self, Array)> {
        let gpu = Gpu::open(true, Some(rewrite))?;
        let storage = Storage::Gpu(gpu.rewrite_word().expect("it was opened with one").clone());
        let word = Array { shape: Shape::from([1]), dtype: DType::U32, storage, offset_bytes: 0 };
        Ok((Self::Gpu(Arc::new(gpu)), word))
    }

    /// Bytes live, kept for reuse, and at the peak.
    pub(crate) fn memory(&self) -> MemoryStats {
        match self {
            Self::Cpu => host::POOL.stats(),
            Self::Gpu(gpu) => gpu.pool().stats(),
        }
    }

    /// Frees the buffers that no tensor uses; those of captures stay.
    pub(crate) fn trim(&self) {
        match self {
            Self::Cpu => host::POOL.trim(),
            Self::Gpu(gpu) => gpu.pool().trim(),
        }
    }

    /// Sends what was recorded, without waiting for it.
    pub(crate) fn flush(&self) -> Result<()> {
        match self {
            Self::Cpu => Ok(()),
            Self::Gpu(gpu) => {
                gpu.flush();
                gpu.check()
            }
        }
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Cpu, Self::Cpu) => true,
            (Self::Gpu(a), Self::Gpu(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl Eq for Place {}
