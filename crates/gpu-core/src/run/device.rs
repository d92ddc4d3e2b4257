//! Where tensors live and work runs: the CPU, or a GPU.

use super::array::Storage;
use super::capture::{self, Capture};
use super::observer::{Observed, Observer};
use super::place::Place;
use super::shortage::{is_within_memory, refuse};
use crate::base::{DType, Error, MAX_ELEMENTS, MemoryStats, Result, budget, free_bytes};
use crate::gpu::{AdapterKind, Gpu, MatrixUnits};
use std::any::Any;
use std::fmt;
use std::sync::{Arc, LazyLock};

/// A device. Cloning it clones a handle; two clones are equal.
///
/// Work on a device runs in the order in which it was asked for, from whatever thread. The GPU runs it later: a fault shows at the
/// next [`flush`](Self::flush), [`synchronize`](Self::synchronize) or read, and at every one after it.
#[derive(Clone)]
pub enum Device {
    /// The mirrors, on all cores.
    Cpu,
    /// A GPU through wgpu.
    Gpu(Arc<Gpu>),
    /// The CPU or a GPU with somebody watching, or with tensors in double precision: made by [`observed_by`](Self::observed_by) and
    /// [`cpu_f64`](Self::cpu_f64).
    Observed(Arc<Observed>),
}

impl Device {
    /// A hardware GPU (discrete before integrated), or the adapter that `WGRAD_ADAPTER` names; the CPU device where there is none.
    ///
    /// # Errors
    /// If `WGRAD_ADAPTER` names nothing, the adapter cannot be opened, or `WGRAD_MEMORY_MIB` is no budget.
    pub fn auto() -> Result<Self> {
        budget()?;
        match Gpu::open(false, None) {
            Ok(gpu) => Ok(Self::Gpu(Arc::new(gpu))),
            Err(Error::NoAdapter) => Ok(Self::Cpu),
            Err(e) => Err(e),
        }
    }

    /// Any adapter, a software driver too, the best kind first; `WGRAD_ADAPTER` chooses by name.
    ///
    /// # Errors
    /// If there is none, it cannot be opened, or `WGRAD_MEMORY_MIB` is no budget.
    pub fn gpu() -> Result<Self> {
        Ok(Self::Gpu(Arc::new(Gpu::open(true, None)?)))
    }

    /// The adapter at this place of [`adapters`](crate::adapters), as `#0`, or plugged in there (`0000:65:00.0`), or the first with this in
    /// its name: for programs that use several.
    ///
    /// # Errors
    /// If there is none, it cannot be opened, or `WGRAD_MEMORY_MIB` is no budget.
    ///
    /// ```
    /// # use gpu_core::Device;
    /// assert!(Device::on_adapter("a GPU that nobody makes").is_err());
    /// ```
    pub fn on_adapter(wanted: &str) -> Result<Self> {
        Ok(Self::Gpu(Arc::new(Gpu::open_named(wanted)?)))
    }

    /// By name: `auto`, `gpu` or `cpu`.
    ///
    /// # Errors
    /// See [`auto`](Self::auto) and [`gpu`](Self::gpu); of the CPU, if `WGRAD_MEMORY_MIB` is no budget.
    ///
    /// ```
    /// # use gpu_core::Device;
    /// assert_eq!(Device::named("cpu")?, Device::Cpu);
    /// assert!(Device::named("tpu").is_err());
    /// # Ok::<(), gpu_core::Error>(())
    /// ```
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "auto" => Self::auto(),
            "gpu" => Self::gpu(),
            "cpu" => budget().map(|_| Self::Cpu),
            other => Err(Error::UnknownDevice(other.to_owned())),
        }
    }

    /// The CPU device in double precision: what would be an f32 tensor holds f64 there, and kernels run their f64 mirrors. `write` and
    /// `read` of f32 convert. Derivatives are held against difference quotients on it. It is the same device each time.
    ///
    /// ```
    /// # use gpu_core::{Device, Tensor, ops};
    /// let device = Device::cpu_f64();
    /// let third = ops::div(&Tensor::scalar(&device, 1.0), &Tensor::scalar(&device, 3.0));
    /// assert_eq!(third.read::<f64>()?, [1.0 / 3.0]);
    /// # Ok::<(), gpu_core::Error>(())
    /// ```
    pub fn cpu_f64() -> Self {
        static DEVICE: LazyLock<Arc<Observed>> =
            LazyLock::new(|| Arc::new(Observed { on: Place::Cpu, floats: DType::F64, observers: Vec::new() }));
        Self::Observed(DEVICE.clone())
    }

    /// A device whose work runs where this one's runs, and whose tensors and launches `observer` sees, after the observers that this
    /// one has. It is a device of its own: its tensors do not mix with those of another. See [`Observer`].
    pub fn observed_by(&self, observer: Arc<dyn Observer>) -> Self {
        let mut observers = self.observed().map_or(Vec::new(), |observed| observed.observers.clone());
        observers.push(observer);
        Self::Observed(Arc::new(Observed { on: self.place(), floats: self.float_dtype(), observers }))
    }

    /// Its first observer of type `O`.
    pub fn observer<O: Observer>(&self) -> Option<&O> {
        let mut observers = self.observed()?.observers.iter();
        observers.find_map(|observer| (observer.as_ref() as &dyn Any).downcast_ref())
    }

    pub(crate) fn observed(&self) -> Option<&Arc<Observed>> {
        if let Self::Observed(observed) = self { Some(observed) } else { None }
    }

    /// Where its work runs.
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Cpu => Place::Cpu,
            Self::Gpu(gpu) => Place::Gpu(gpu.clone()),
            Self::Observed(observed) => observed.on.clone(),
        }
    }

    /// The type of the tensors that are made without one being named: f32, but f64 on [`cpu_f64`](Self::cpu_f64).
    pub fn float_dtype(&self) -> DType {
        self.observed().map_or(DType::F32, |observed| observed.floats)
    }

    /// The adapter's name, or `CPU`; and what distinguishes it from that device.
    pub fn name(&self) -> String {
        let name = match self.place() {
            Place::Cpu => "CPU".to_owned(),
            Place::Gpu(gpu) => gpu.info().name.clone(),
        };
        match self.observed() {
            None => name,
            Some(observed) if observed.observers.is_empty() => format!("{name} in f64"),
            Some(_) => format!("{name}, observed"),
        }
    }

    /// Whether its tensors may be of this type.
    pub(crate) fn holds(&self, dtype: DType) -> bool {
        dtype != DType::F64 || !self.is_gpu()
    }

    /// Whether the work is done by a GPU, be it a software one.
    pub fn is_gpu(&self) -> bool {
        matches!(self.place(), Place::Gpu(_))
    }

    /// Whether kernels should take their form without workgroup memory: true for software drivers, where every barrier is dear.
    pub fn prefers_registers(&self) -> bool {
        matches!(self.place(), Place::Gpu(gpu) if gpu.info().kind == AdapterKind::Software)
    }

    /// How many invocations at least can read each other's values without memory; 1 where kernels cannot count on it.
    pub fn subgroup_lanes(&self) -> u32 {
        match self.place() {
            Place::Cpu => 1,
            Place::Gpu(gpu) => gpu.info().subgroup_lanes,
        }
    }

    /// Its matrix units, where kernels can use them.
    pub fn matrix_units(&self) -> Option<MatrixUnits> {
        match self.place() {
            Place::Cpu => None,
            Place::Gpu(gpu) => gpu.info().matrix_units,
        }
    }

    /// Bytes of the largest f32 tensor.
    pub fn max_tensor_bytes(&self) -> u64 {
        match self.place() {
            Place::Cpu => 4 * MAX_ELEMENTS as u64,
            Place::Gpu(gpu) => gpu.info().max_binding_bytes,
        }
    }

    /// Bytes live, kept for reuse, and at the peak.
    pub fn memory(&self) -> MemoryStats {
        self.place().memory()
    }

    /// Bytes that can still be had: what the budget leaves, on the CPU device no more than the machine has free. `u64::MAX` where nobody
    /// knows: on a GPU without a budget.
    pub fn available_bytes(&self) -> u64 {
        let MemoryStats { live, pooled, limit, .. } = self.memory();
        let left = if limit == u64::MAX { limit } else { limit.saturating_sub(live + pooled) };
        match self.place() {
            Place::Cpu => left.min(free_bytes()),
            Place::Gpu(_) => left,
        }
    }

    /// Frees the buffers that no tensor uses; those of captures stay.
    pub fn trim(&self) {
        self.place().trim();
    }

    /// Sends what was recorded, without waiting for it.
    ///
    /// # Errors
    /// The device's first fault.
    pub fn flush(&self) -> Result<()> {
        self.place().flush()
    }

    /// Waits until all that was asked is done.
    ///
    /// # Errors
    /// The device's first fault.
    pub fn synchronize(&self) -> Result<()> {
        self.flush()?;
        match self.place() {
            Place::Cpu => Ok(()),
            Place::Gpu(gpu) => gpu.wait(),
        }
    }

    /// Records what `f` launches on this device from this thread, without running it, to be run by [`Capture::replay`] as often
    /// as wanted. What changes between replays must lie in tensors.
    ///
    /// The capture owns the memory of the tensors that `f` makes: those that `f` drops are reused within the recording.
    ///
    /// # Errors
    /// The device's first fault.
    ///
    /// # Panics
    /// If this thread is capturing already.
    ///
    /// ```
    /// # use gpu_core::{Device, Tensor, ops};
    /// let x = Tensor::from_slice(&Device::Cpu, [2], &[1.0f32, 2.0]);
    /// let (y, capture) = Device::Cpu.capture(|| ops::add(&x, &x))?;
    /// x.write(&[3.0f32, 4.0]);
    /// capture.replay()?;
    /// assert_eq!(y.to_vec()?, [6.0, 8.0]);
    /// # Ok::<(), gpu_core::Error>(())
    /// ```
    #[track_caller]
    pub fn capture<R>(&self, f: impl FnOnce() -> R) -> Result<(R, Capture)> {
        capture::capture(&self.place(), f)
    }

    /// Whether what this thread asks of the device is recorded by [`capture`](Self::capture): nothing can be read or overwritten then.
    pub fn is_capturing(&self) -> bool {
        capture::is_capturing(&self.place())
    }

    /// How many launches the capture that this thread is in has recorded so far, 0 outside of one: where in
    /// [`Capture::replay_each_timed`] those come that follow.
    ///
    /// ```
    /// # use gpu_core::{Device, Tensor, ops};
    /// let x = Tensor::zeros(&Device::Cpu, [8]);
    /// let (counts, _) = Device::Cpu.capture(|| [0; 3].map(|_| (ops::scale(&x, 2.0), Device::Cpu.recorded_launches()).1))?;
    /// assert_eq!((counts, Device::Cpu.recorded_launches()), ([1, 2, 3], 0));
    /// # Ok::<(), gpu_core::Error>(())
    /// ```
    pub fn recorded_launches(&self) -> usize {
        capture::recorded(&self.place())
    }

    /// A buffer of at least `bytes`. A GPU that cannot give it is at fault from then on; the stand-in is never used. The CPU device has no
    /// fault to show later, and [`within_memory`](super::within_memory) neither needs one.
    #[track_caller]
    pub(crate) fn lend(&self, bytes: usize) -> Storage {
        match self.place() {
            Place::Cpu => match capture::host_pool().take(bytes) {
                Ok(lent) => Storage::Host(Arc::new(lent)),
                Err(error) => refuse(error),
            },
            Place::Gpu(gpu) => {
                let pool = capture::gpu_pool(&gpu);
                let lent = pool.take(bytes).or_else(|error| {
                    // Nothing was asked of the driver yet: it is no fault of the device where somebody waits for the refusal.
                    if is_within_memory() {
                        refuse(error);
                    }
                    gpu.fail(error);
                    pool.stand_in()
                });
                Storage::Gpu(Arc::new(lent.unwrap_or_else(|error| refuse(error))))
            }
        }
    }
}

impl From<Place> for Device {
    fn from(place: Place) -> Self {
        match place {
            Place::Cpu => Self::Cpu,
            Place::Gpu(gpu) => Self::Gpu(gpu),
        }
    }
}

impl PartialEq for Device {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Cpu, Self::Cpu) => true,
            (Self::Gpu(a), Self::Gpu(b)) => Arc::ptr_eq(a, b),
            (Self::Observed(a), Self::Observed(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl Eq for Device {}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Device({})", self.name())
    }
}
