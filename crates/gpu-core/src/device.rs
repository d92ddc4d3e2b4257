//! Where tensors live and work runs: the CPU, or a GPU.

use crate::error::{Error, Result};
use crate::gpu::{self, AdapterKind, Gpu};
use crate::pool::{Account, MemoryStats, Pool, Storage};
use crate::recording::{GpuDispatch, HostDispatch, Tape, UniformArena};
use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

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
}

/// Memory of the CPU device, which the process has once.
static HOST_POOL: LazyLock<Arc<Pool>> = LazyLock::new(|| Pool::host(Arc::new(Account::new())));

/// What a capture of this thread has recorded so far.
enum Recorder {
    Host(Tape<HostDispatch>),
    Gpu(Arc<Gpu>, Tape<GpuDispatch>),
}

thread_local! {
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
}

impl Device {
    /// A hardware GPU (discrete before integrated), or the adapter that `WGRAD_ADAPTER` names; the CPU device where there is none.
    ///
    /// # Errors
    /// If `WGRAD_ADAPTER` names nothing, or the adapter cannot be opened.
    pub fn auto() -> Result<Self> {
        match gpu::choose(false) {
            Ok(gpu) => Ok(Self::Gpu(Arc::new(gpu))),
            Err(Error::NoAdapter) => Ok(Self::Cpu),
            Err(e) => Err(e),
        }
    }

    /// Any adapter, a software driver too, the best kind first; `WGRAD_ADAPTER` chooses by name.
    ///
    /// # Errors
    /// If there is none, or it cannot be opened.
    pub fn gpu() -> Result<Self> {
        Ok(Self::Gpu(Arc::new(gpu::choose(true)?)))
    }

    /// By name: `auto`, `gpu` or `cpu`.
    ///
    /// # Errors
    /// See [`auto`](Self::auto) and [`gpu`](Self::gpu).
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
            "cpu" => Ok(Self::Cpu),
            other => Err(Error::UnknownDevice(other.to_owned())),
        }
    }

    /// The adapter's name, or `CPU`.
    pub fn name(&self) -> String {
        match self {
            Self::Cpu => "CPU".to_owned(),
            Self::Gpu(gpu) => gpu.info().name.clone(),
        }
    }

    /// Whether the work is done by a GPU, be it a software one.
    pub fn is_gpu(&self) -> bool {
        matches!(self, Self::Gpu(_))
    }

    /// Whether kernels should take their form without workgroup memory: true for software drivers, where every barrier is dear.
    pub fn prefers_registers(&self) -> bool {
        matches!(self, Self::Gpu(gpu) if gpu.info().kind == AdapterKind::Software)
    }

    /// How many invocations at least can read each other's values without memory; 1 where kernels cannot count on it.
    pub fn subgroup_lanes(&self) -> u32 {
        match self {
            Self::Cpu => 1,
            Self::Gpu(gpu) => gpu.info().subgroup_lanes,
        }
    }

    /// Bytes of the largest tensor.
    pub fn max_tensor_bytes(&self) -> u64 {
        match self {
            Self::Cpu => isize::MAX as u64,
            Self::Gpu(gpu) => gpu.info().max_binding_bytes,
        }
    }

    /// Bytes live, kept for reuse, and at the peak.
    pub fn memory(&self) -> MemoryStats {
        self.pool().stats()
    }

    /// Frees the buffers that no tensor uses; those of captures stay.
    pub fn trim(&self) {
        match self {
            Self::Cpu => HOST_POOL.trim(),
            Self::Gpu(gpu) => gpu.pool().trim(),
        }
    }

    /// Sends what was recorded, without waiting for it.
    ///
    /// # Errors
    /// The device's first fault.
    pub fn flush(&self) -> Result<()> {
        match self {
            Self::Cpu => Ok(()),
            Self::Gpu(gpu) => {
                gpu.flush();
                gpu.check()
            }
        }
    }

    /// Waits until all that was asked is done.
    ///
    /// # Errors
    /// The device's first fault.
    pub fn synchronize(&self) -> Result<()> {
        self.flush()?;
        match self {
            Self::Cpu => Ok(()),
            Self::Gpu(gpu) => gpu.wait(),
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
        let pool = self.pool().sibling();
        let fresh = match self {
            Self::Cpu => Recorder::Host(Tape::new(pool)),
            Self::Gpu(gpu) => Recorder::Gpu(gpu.clone(), Tape::new(pool)),
        };
        RECORDER.with_borrow_mut(|slot| {
            assert!(slot.is_none(), "capture: this thread is capturing already");
            *slot = Some(fresh);
        });
        // Ends the recording on a panic too.
        struct Guard;
        impl Drop for Guard {
            fn drop(&mut self) {
                RECORDER.take();
            }
        }
        let guard = Guard;
        let result = f();
        let recorder = RECORDER.take();
        drop(guard);
        self.flush()?;
        let work = match recorder.expect("the recorder was set above") {
            Recorder::Host(tape) => Work::Host(tape),
            Recorder::Gpu(gpu, tape) => {
                gpu.compile(&tape.list)?;
                let uniforms = (!gpu.uses_immediates()).then(|| gpu.uniforms(&tape.list));
                Work::Gpu { gpu, tape, uniforms }
            }
        };
        Ok((result, Capture { work }))
    }

    /// Whether what this thread asks of the device is recorded by [`capture`](Self::capture): nothing can be written or read then.
    pub fn is_capturing(&self) -> bool {
        RECORDER.with_borrow(|r| match (r, self) {
            (Some(Recorder::Host(_)), Self::Cpu) => true,
            (Some(Recorder::Gpu(a, _)), Self::Gpu(b)) => Arc::ptr_eq(a, b),
            _ => false,
        })
    }

    /// The pool that new tensors of this thread come from.
    fn pool(&self) -> Arc<Pool> {
        RECORDER.with_borrow(|r| match (r, self) {
            (Some(Recorder::Host(tape)), Self::Cpu) => tape.pool.clone(),
            (Some(Recorder::Gpu(a, tape)), Self::Gpu(b)) if Arc::ptr_eq(a, b) => tape.pool.clone(),
            (_, Self::Cpu) => HOST_POOL.clone(),
            (_, Self::Gpu(gpu)) => gpu.pool().clone(),
        })
    }

    /// A buffer of at least `bytes`. A GPU that cannot give it is at fault from then on; the stand-in is never used.
    #[track_caller]
    pub(crate) fn lend(&self, bytes: usize) -> Arc<Storage> {
        let pool = self.pool();
        let storage = pool.take(bytes).or_else(|error| match self {
            Self::Cpu => panic!("{error}"),
            Self::Gpu(gpu) => {
                gpu.fail(error);
                pool.take(1)
            }
        });
        Arc::new(storage.unwrap_or_else(|error| panic!("{error}")))
    }

    pub(crate) fn push_host<'a>(&self, dispatch: HostDispatch, uses: impl Iterator<Item = &'a Arc<Storage>>) {
        let run_now = RECORDER.with_borrow_mut(|r| match r {
            Some(Recorder::Host(tape)) => {
                uses.for_each(|s| tape.keep(s));
                tape.list.push(dispatch);
                None
            }
            _ => Some(dispatch),
        });
        if let Some(dispatch) = run_now {
            dispatch.run();
        }
    }

    pub(crate) fn push_gpu<'a>(&self, gpu: &Arc<Gpu>, dispatch: GpuDispatch, uses: impl Iterator<Item = &'a Arc<Storage>>) {
        RECORDER.with_borrow_mut(|r| match r {
            Some(Recorder::Gpu(recording, tape)) if Arc::ptr_eq(recording, gpu) => {
                uses.for_each(|s| tape.keep(s));
                tape.list.push(dispatch);
            }
            _ => gpu.record(dispatch),
        });
    }
}

impl PartialEq for Device {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Cpu, Self::Cpu) => true,
            (Self::Gpu(a), Self::Gpu(b)) => Arc::ptr_eq(a, b),
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

/// A recording that can be run again and again; see [`Device::capture`].
#[derive(Debug)]
pub struct Capture {
    work: Work,
}

#[derive(Debug)]
enum Work {
    Host(Tape<HostDispatch>),
    Gpu { gpu: Arc<Gpu>, tape: Tape<GpuDispatch>, uniforms: Option<UniformArena> },
}

impl Capture {
    /// Runs the recording once more, after all that was asked before.
    ///
    /// # Errors
    /// The device's first fault.
    pub fn replay(&self) -> Result<()> {
        match &self.work {
            Work::Host(tape) => tape.list.iter().for_each(HostDispatch::run),
            Work::Gpu { gpu, tape, uniforms } => {
                gpu.flush();
                gpu.submit_with(&tape.list, uniforms.as_ref());
                gpu.check()?;
            }
        }
        Ok(())
    }

    /// Runs the recording once more and waits for it; the seconds that the GPU worked, where its adapter has timestamps.
    ///
    /// # Errors
    /// The device's first fault.
    pub fn replay_timed(&self) -> Result<Option<f64>> {
        match &self.work {
            Work::Host(_) => self.replay().map(|()| None),
            Work::Gpu { gpu, tape, uniforms } => gpu.run_timed(&tape.list, uniforms.as_ref()),
        }
    }

    /// Runs the recording once more, kernel by kernel: the name of each and the seconds that it took, in order; none, and nothing
    /// is run, where a GPU's adapter has no timestamps.
    ///
    /// # Errors
    /// The device's first fault.
    ///
    /// ```
    /// # use gpu_core::{Device, Tensor, ops};
    /// let x = Tensor::zeros(&Device::Cpu, [8]);
    /// let (_, capture) = Device::Cpu.capture(|| ops::add(&ops::scale(&x, 2.0), &x))?;
    /// let times = capture.replay_each_timed()?.expect("the CPU device has a clock");
    /// assert_eq!(times.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["scale", "binary"]);
    /// # Ok::<(), gpu_core::Error>(())
    /// ```
    pub fn replay_each_timed(&self) -> Result<Option<Vec<(&'static str, f64)>>> {
        let timed = |dispatch: &HostDispatch| {
            let start = Instant::now();
            dispatch.run();
            (dispatch.entry, start.elapsed().as_secs_f64())
        };
        match &self.work {
            Work::Host(tape) => Ok(Some(tape.list.iter().map(timed).collect())),
            Work::Gpu { gpu, tape, uniforms } => {
                let seconds = gpu.run_each_timed(&tape.list, uniforms.as_ref())?;
                Ok(seconds.map(|seconds| tape.list.iter().map(|d| d.entry).zip(seconds).collect()))
            }
        }
    }

    /// Bytes of the memory that it owns: all that its recording needs besides the tensors from outside.
    pub fn bytes(&self) -> u64 {
        match &self.work {
            Work::Host(tape) => tape.pool.bytes(),
            Work::Gpu { tape, .. } => tape.pool.bytes(),
        }
    }

    /// How many kernels it launches.
    pub fn len(&self) -> usize {
        match &self.work {
            Work::Host(tape) => tape.list.len(),
            Work::Gpu { tape, .. } => tape.list.len(),
        }
    }

    /// How many pipelines they share: what a GPU compiles before the first replay. None on the CPU device.
    pub fn pipelines(&self) -> usize {
        match &self.work {
            Work::Host(_) => 0,
            Work::Gpu { tape, .. } => tape.list.iter().map(|d| Arc::as_ptr(&d.pipeline)).collect::<HashSet<_>>().len(),
        }
    }

    /// Whether nothing was launched.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
