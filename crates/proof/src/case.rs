//! The table: operators on shapes, each held against its mirror.

use super::bound::{difference_by, largest};
use super::observers::has_magnitudes;
use super::{Bound, Difference, floats, magnitudes, poisoned};
use gpu_core::{Device, Result, Tensor};

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
    /// `run` makes its inputs (see [`values`](super::values)) on the device that it is given and returns what it computed.
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
        (self.run)(&poisoned(device))
    }

    /// The difference between `device` and the mirrors, and the one allowed, of the element that comes nearest to (or goes furthest
    /// over) its bound.
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
        // Of all that is special about the device the mirrors share the inputs alone.
        let reference = if has_magnitudes(device) { magnitudes(&Device::Cpu) } else { Device::Cpu };
        let (got, want) = (run(), self.run(&reference));
        device.flush()?;
        assert!(got.len() == want.len(), "{}: {} outputs against {}", self.name, got.len(), want.len());
        let magnitudes = match self.bound {
            Bound::Sum { .. } => self.run(&magnitudes(&Device::Cpu)).iter().map(floats).collect::<Result<_>>()?,
            _ => vec![Vec::new(); want.len()],
        };
        let mut worst = Difference { error: 0.0, bound: 0.0 };
        for ((g, w), magnitudes) in got.iter().zip(&want).zip(&magnitudes) {
            assert!(g.shape() == w.shape(), "{}: shapes {} against {}", self.name, g.shape(), w.shape());
            let (g, w) = (floats(g)?, floats(w)?);
            let largest = largest(&w);
            let found = difference_by(&g, &w, |i| self.bound.allowed(largest, magnitudes.get(i).copied().unwrap_or(0.0)));
            if found.excess() >= worst.excess() {
                worst = found;
            }
        }
        Ok(worst)
    }
}
