//! The table: operators on shapes, each held against its mirror.

use super::bound::{difference_by, largest};
use super::observers::has_magnitudes;
use super::{Bound, Difference, floats, magnitudes, poisoned};
use gpu_core::{Device, Result, Shape, Tensor};

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
        let mirrors = if has_magnitudes(device) { magnitudes(&Device::Cpu) } else { Device::Cpu };
        let got = run();
        let reference = self.reference(&self.run(&mirrors))?;
        device.flush()?;
        reference.hold(self.name, &got)
    }

    /// What is held against `want`, which mirrors computed.
    pub(crate) fn reference(&self, want: &[Tensor]) -> Result<Reference> {
        let magnitudes = match self.bound {
            Bound::Sum { .. } => self.run(&magnitudes(&Device::Cpu)).iter().map(floats).collect::<Result<_>>()?,
            _ => vec![Vec::new(); want.len()],
        };
        let wanted = want.iter().zip(magnitudes).map(|(w, magnitudes)| Ok((w.shape(), floats(w)?, magnitudes)));
        Ok(Reference { bound: self.bound, wanted: wanted.collect::<Result<_>>()? })
    }
}

/// What the outputs of a case should be, and how far they may be from it.
pub(crate) struct Reference {
    bound: Bound,
    /// Of each output the shape, the elements, and what they would be if nothing cancelled.
    wanted: Vec<(Shape, Vec<f32>, Vec<f32>)>,
}

impl Reference {
    /// The difference of the element that comes nearest to its bound.
    pub(crate) fn hold(&self, name: &str, got: &[Tensor]) -> Result<Difference> {
        assert!(got.len() == self.wanted.len(), "{name}: {} outputs against {}", got.len(), self.wanted.len());
        let mut worst = Difference { error: 0.0, bound: 0.0 };
        for (g, (shape, w, magnitudes)) in got.iter().zip(&self.wanted) {
            assert!(g.shape() == *shape, "{name}: shapes {} against {shape}", g.shape());
            let (g, largest) = (floats(g)?, largest(w));
            let found = difference_by(&g, w, |i| self.bound.allowed(largest, magnitudes.get(i).copied().unwrap_or(0.0)));
            if found.excess() >= worst.excess() {
                worst = found;
            }
        }
        Ok(worst)
    }
}
