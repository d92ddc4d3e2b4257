//! The table of what is timed: operators at the sizes of real layers.

use super::{Launch, counted};
use gpu_core::{Capture, Device, Result, Tensor};

type Run = Box<dyn Fn() -> Vec<Tensor>>;

/// One row of the benchmark.
pub struct Bench {
    /// The operator.
    pub name: &'static str,
    /// The shapes and options.
    pub what: String,
    /// Additions and multiplications of one run; 0 where the bytes are what counts.
    pub flops: u64,
    prepare: Box<dyn Fn(&Device) -> Run + Send + Sync>,
}

impl Bench {
    /// `prepare` makes the inputs on the device that it is given and returns what is to be timed.
    pub fn new<R: Fn() -> Vec<Tensor> + 'static>(
        name: &'static str,
        what: impl Into<String>,
        flops: u64,
        prepare: impl Fn(&Device) -> R + Send + Sync + 'static,
    ) -> Self {
        Self { name, what: what.into(), flops, prepare: Box::new(move |device| Box::new(prepare(device))) }
    }

    /// Makes the inputs, and records the run without running it: what it launches, and a capture to replay as often as wanted.
    ///
    /// # Errors
    /// A fault of the device.
    pub fn capture(&self, device: &Device) -> Result<(Capture, Vec<Launch>)> {
        let (device, launches) = counted(device);
        let run = (self.prepare)(&device);
        launches.take();
        let (_, capture) = device.capture(run)?;
        Ok((capture, launches.take()))
    }
}
