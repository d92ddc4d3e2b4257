//! The table: operators on shapes, each held against its mirror.

use super::{Bound, Difference, difference, floats, gpu, poisoned};
use crate::device::Device;
use crate::error::Result;
use crate::tensor::Tensor;

/// One row of the table: an operator on certain shapes, with inputs that are a pure function of the case.
pub struct Case {
    /// The operator.
    pub name: &'static str,
    /// The shapes and options.
    pub what: String,
    /// How far GPU and CPU may differ.
    pub bound: Bound,
    run: Box<dyn Fn(&Device) -> Vec<Tensor> + Send + Sync>,
}

impl Case {
    /// `run` makes its inputs (see [`values`]) on the device that it is given and returns what it computed.
    pub fn new(
        name: &'static str,
        what: String,
        bound: Bound,
        run: impl Fn(&Device) -> Vec<Tensor> + Send + Sync + 'static,
    ) -> Self {
        Self { name, what, bound, run: Box::new(run) }
    }

    /// Runs it with poisoned outputs.
    pub fn run(&self, device: &Device) -> Vec<Tensor> {
        poisoned(|| (self.run)(device))
    }

    /// The largest difference between `device` and the mirrors, and the largest allowed, of the tensor that comes nearest to (or
    /// goes furthest over) its bound. A NaN is an infinite difference.
    ///
    /// # Errors
    /// A fault of the device.
    pub fn compare(&self, device: &Device) -> Result<Difference> {
        self.compare_with(device, || self.run(device))
    }

    /// The same with what the device computes given by `run`: the place for a planted fault.
    ///
    /// # Errors
    /// A fault of the device.
    pub fn compare_with(&self, device: &Device, run: impl FnOnce() -> Vec<Tensor>) -> Result<Difference> {
        let (got, want) = (run(), self.run(&Device::Cpu));
        device.flush()?;
        assert!(got.len() == want.len(), "{}: {} outputs against {}", self.name, got.len(), want.len());
        let mut worst = Difference { error: 0.0, bound: self.bound.absolute(0.0) };
        for (g, w) in got.iter().zip(&want) {
            assert!(g.shape() == w.shape(), "{}: shapes {} against {}", self.name, g.shape(), w.shape());
            let difference = difference(&floats(g)?, &floats(w)?, self.bound);
            if difference.excess() >= worst.excess() {
                worst = difference;
            }
        }
        Ok(worst)
    }
}

/// Holds every case of an operator against the mirrors on the test GPU.
///
/// # Panics
/// At the first case over its bound, or at a fault of the device.
#[track_caller]
pub fn hold(cases: &[Case]) {
    let Some(device) = gpu() else { return };
    for case in cases {
        let difference = case.compare(&device).unwrap_or_else(|e| panic!("{} {}: {e}", case.name, case.what));
        let Difference { error, bound } = difference;
        assert!(difference.ok(), "{} {}: the kernel is {error:e} from its mirror, {bound:e} is allowed", case.name, case.what);
    }
}
