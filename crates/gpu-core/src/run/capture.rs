//! Work that is recorded instead of run, and replayed.

use super::host::{self, HostDispatch, HostMemory};
use super::place::Place;
use super::recording::Recording;
use crate::base::{Lent, Pool, Result};
use crate::gpu::{Gpu, GpuDispatch, GpuMemory, UniformArena};
use parking_lot::Mutex;
use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

type HostRecording = Recording<HostMemory, HostDispatch>;
type GpuRecording = Recording<GpuMemory, GpuDispatch>;

/// What a capture of this thread has recorded so far.
pub(crate) enum Recorder {
    Host(HostRecording),
    Gpu(Arc<Gpu>, GpuRecording),
}

impl Recorder {
    fn is_of(&self, place: &Place) -> bool {
        match (self, place) {
            (Self::Host(_), Place::Cpu) => true,
            (Self::Gpu(mine, _), Place::Gpu(gpu)) => Arc::ptr_eq(mine, gpu),
            _ => false,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Host(recording) => recording.list.len(),
            Self::Gpu(_, recording) => recording.list.len(),
        }
    }
}

thread_local! {
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
}

/// Whether this thread captures what is launched there.
pub(crate) fn is_capturing(place: &Place) -> bool {
    RECORDER.with_borrow(|r| r.as_ref().is_some_and(|recorder| recorder.is_of(place)))
}

/// How many launches this thread's capture there has recorded.
pub(super) fn recorded(place: &Place) -> usize {
    RECORDER.with_borrow(|r| match r {
        Some(recorder) if recorder.is_of(place) => recorder.len(),
        _ => 0,
    })
}

/// The pool that new tensors of this thread on the CPU device come from.
pub(super) fn host_pool() -> Arc<Pool<HostMemory>> {
    RECORDER.with_borrow(|r| match r {
        Some(Recorder::Host(recording)) => recording.pool.clone(),
        _ => host::POOL.clone(),
    })
}

/// The same on a GPU.
pub(super) fn gpu_pool(gpu: &Arc<Gpu>) -> Arc<Pool<GpuMemory>> {
    RECORDER.with_borrow(|r| match r {
        Some(Recorder::Gpu(mine, recording)) if Arc::ptr_eq(mine, gpu) => recording.pool.clone(),
        _ => gpu.pool().clone(),
    })
}

/// While it lives, this thread does what it does at once, outside of the capture that it is in.
pub(crate) struct Suspended(Option<Recorder>);

/// See [`Suspended`].
pub(crate) fn suspended() -> Suspended {
    Suspended(RECORDER.take())
}

impl Drop for Suspended {
    fn drop(&mut self) {
        RECORDER.set(self.0.take());
    }
}

/// Records a mirror, or runs it now.
pub(crate) fn push_host<'a>(dispatch: HostDispatch, uses: impl Iterator<Item = &'a Arc<Lent<HostMemory>>>) {
    let run_now = RECORDER.with_borrow_mut(|r| match r {
        Some(Recorder::Host(recording)) => {
            uses.for_each(|lent| recording.keep(lent));
            recording.list.push(dispatch);
            None
        }
        _ => Some(dispatch),
    });
    if let Some(dispatch) = run_now {
        dispatch.run();
    }
}

/// Records a dispatch in the capture, or in the list that waits to be sent.
pub(crate) fn push_gpu<'a>(gpu: &Arc<Gpu>, dispatch: GpuDispatch, uses: impl Iterator<Item = &'a Arc<Lent<GpuMemory>>>) {
    RECORDER.with_borrow_mut(|r| match r {
        Some(Recorder::Gpu(mine, recording)) if Arc::ptr_eq(mine, gpu) => {
            uses.for_each(|lent| recording.keep(lent));
            recording.list.push(dispatch);
        }
        _ => gpu.record(dispatch),
    });
}

/// See [`Device::capture`](crate::Device::capture).
#[track_caller]
pub(crate) fn capture<R>(place: &Place, f: impl FnOnce() -> R) -> Result<(R, Capture)> {
    assert!(RECORDER.with_borrow(Option::is_none), "capture: this thread is capturing already");
    RECORDER.set(Some(match place {
        Place::Cpu => Recorder::Host(Recording::new(host::POOL.sibling())),
        Place::Gpu(gpu) => Recorder::Gpu(gpu.clone(), Recording::new(gpu.pool().sibling())),
    }));
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
    place.flush()?;
    let work = match recorder.expect("the recorder was set above") {
        Recorder::Host(recording) => Work::Host { recording, replaying: Mutex::default() },
        Recorder::Gpu(gpu, recording) => {
            gpu.compile(&recording.list)?;
            let uniforms = (!gpu.uses_immediates()).then(|| gpu.uniforms(&recording.list));
            Work::Gpu { gpu, recording, uniforms }
        }
    };
    Ok((result, Capture { work }))
}

/// A recording that can be run again and again; see [`Device::capture`](crate::Device::capture).
#[derive(Debug)]
pub struct Capture {
    work: Work,
}

#[derive(Debug)]
enum Work {
    /// A replay is whole: two at once would mix their steps.
    Host {
        recording: HostRecording,
        replaying: Mutex<()>,
    },
    Gpu {
        gpu: Arc<Gpu>,
        recording: GpuRecording,
        uniforms: Option<UniformArena>,
    },
}

impl Capture {
    /// Runs the recording once more, after all that was asked before.
    ///
    /// # Errors
    /// The device's first fault.
    pub fn replay(&self) -> Result<()> {
        match &self.work {
            Work::Host { recording, replaying } => {
                let _whole = replaying.lock();
                recording.list.iter().for_each(HostDispatch::run);
            }
            Work::Gpu { gpu, recording, uniforms } => {
                gpu.flush();
                gpu.submit_with(&recording.list, uniforms.as_ref());
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
            Work::Host { .. } => self.replay().map(|()| None),
            Work::Gpu { gpu, recording, uniforms } => gpu.run_timed(&recording.list, uniforms.as_ref()),
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
            Work::Host { recording, replaying } => {
                let _whole = replaying.lock();
                Ok(Some(recording.list.iter().map(timed).collect()))
            }
            Work::Gpu { gpu, recording, uniforms } => {
                let seconds = gpu.run_each_timed(&recording.list, uniforms.as_ref())?;
                Ok(seconds.map(|seconds| recording.list.iter().map(|d| d.entry).zip(seconds).collect()))
            }
        }
    }

    /// Bytes of the memory that it owns: all that its recording needs besides the tensors from outside.
    pub fn bytes(&self) -> u64 {
        match &self.work {
            Work::Host { recording, .. } => recording.pool.bytes(),
            Work::Gpu { recording, .. } => recording.pool.bytes(),
        }
    }

    /// How many kernels it launches.
    pub fn len(&self) -> usize {
        match &self.work {
            Work::Host { recording, .. } => recording.list.len(),
            Work::Gpu { recording, .. } => recording.list.len(),
        }
    }

    /// How many pipelines they share: what a GPU compiles before the first replay. None on the CPU device.
    pub fn pipelines(&self) -> usize {
        match &self.work {
            Work::Host { .. } => 0,
            Work::Gpu { recording, .. } => recording.list.iter().map(|d| Arc::as_ptr(&d.pipeline)).collect::<HashSet<_>>().len(),
        }
    }

    /// Whether nothing was launched.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
