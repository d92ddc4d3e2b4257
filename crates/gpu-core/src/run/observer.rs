//! Who watches a device: each tensor that is made, and each launch.

use super::array::Array;
use super::place::Place;
use crate::base::DType;
use crate::gpu::{Constants, KernelInfo};
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// Watches an observed device ([`Device::observed_by`](crate::Device::observed_by)), from whatever thread it is used.
///
/// What an observer itself launches on `on`, where the work runs, is not observed. Inside a capture it is recorded like the rest.
///
/// ```
/// use gpu_core::{Array, Device, Launched, Observer, Place, Tensor, ops};
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
///
/// #[derive(Default)]
/// struct Count { tensors: AtomicUsize, launches: AtomicUsize }
/// impl Observer for Count {
///     fn made(&self, _on: &Place, _array: &Array) { self.tensors.fetch_add(1, Relaxed); }
///     fn launched(&self, _on: &Place, _launch: &Launched<'_>) { self.launches.fetch_add(1, Relaxed); }
/// }
///
/// let count = Arc::new(Count::default());
/// let device = Device::Cpu.observed_by(count.clone());
/// let x = Tensor::from_slice(&device, [2], &[1.0f32, 2.0]);
/// ops::add(&x, &x);
/// assert_eq!((count.tensors.load(Relaxed), count.launches.load(Relaxed)), (2, 1));
/// ```
pub trait Observer: Any + Send + Sync {
    /// A tensor was made and holds whatever was there; the values of `from_slice` follow.
    fn made(&self, _on: &Place, _array: &Array) {}

    /// A kernel was launched, or recorded by a capture.
    fn launched(&self, _on: &Place, _launch: &Launched<'_>) {}
}

/// A launch as observers see it.
#[derive(Debug, Clone, Copy)]
pub struct Launched<'a> {
    /// The kernel.
    pub kernel: KernelInfo,
    /// The constants of its header.
    pub constants: &'a Constants,
    /// Bytes of its parameters.
    pub params_bytes: usize,
    /// What it read.
    pub inputs: &'a [&'a Array],
    /// What it wrote.
    pub outputs: &'a [&'a Array],
}

/// What distinguishes an observed device from the place where its work runs. Use it through [`Device`](crate::Device).
pub struct Observed {
    pub(crate) on: Place,
    /// The type of what would be f32 tensors.
    pub(crate) floats: DType,
    pub(crate) observers: Vec<Arc<dyn Observer>>,
}

impl Observed {
    pub(crate) fn made(&self, array: &Array) {
        self.observers.iter().for_each(|observer| observer.made(&self.on, array));
    }

    pub(crate) fn launched(&self, launch: &Launched<'_>) {
        self.observers.iter().for_each(|observer| observer.launched(&self.on, launch));
    }
}

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Observed({:?}, {}, {} observers)", self.on, self.floats, self.observers.len())
    }
}
