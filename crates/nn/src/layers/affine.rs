//! What a normalisation scales and shifts by.

use crate::init::Fill;
use crate::net::Plan;
use gpu_core::Shape;
use std::fmt;

/// Whether there is a `weight` and a `bias` to be learned. What is missing is ones or zeros that no state dict knows.
pub(super) struct Affine {
    scales: bool,
    shifts: bool,
}

impl Affine {
    pub fn of(scales: bool, shifts: bool) -> Self {
        Self { scales, shifts }
    }

    /// Asks for both.
    pub fn declare(&self, plan: Plan, shape: impl Into<Shape>) -> Plan {
        let shape = shape.into();
        [("weight", 1.0, self.scales), ("bias", 0.0, self.shifts)].into_iter().fold(plan, |plan, (name, value, is_learned)| {
            if is_learned { plan.param(name, shape, Fill::Constant(value)) } else { plan.constant(name, shape, value) }
        })
    }
}

/// What is missing, as `, no affine`.
impl fmt::Display for Affine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.scales, self.shifts) {
            (false, _) => ", no affine",
            (true, false) => ", no bias",
            (true, true) => "",
        })
    }
}
