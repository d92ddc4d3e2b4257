//! Where work runs in the end: the CPU, or a GPU.

use crate::array::Array;
use crate::dtype::DType;
use crate::error::Result;
use crate::gpu::{Gpu, Rewrite};
use crate::pool::{Account, Pool};
use crate::shape::Shape;
use std::sync::{Arc, LazyLock};

/// Memory of the CPU device, which the process has once.
static HOST_POOL: LazyLock<Arc<Pool>> = LazyLock::new(|| Pool::host(Arc::new(Account::new())));

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
    pub fn rewritten(rewrite: Rewrite) -> Result<(Self, Array)> {
        let gpu = Gpu::open(true, Some(rewrite))?;
        let storage = gpu.rewrite_word().expect("it was opened with one").clone();
        let word = Array { shape: Shape::from([1]), dtype: DType::U32, storage, offset_bytes: 0 };
        Ok((Self::Gpu(Arc::new(gpu)), word))
    }

    /// The pool of all tensors that no capture made.
    pub(crate) fn pool(&self) -> &Arc<Pool> {
        match self {
            Self::Cpu => &HOST_POOL,
            Self::Gpu(gpu) => gpu.pool(),
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
