//! What normalisations have in common: what they scale and shift by, and the defaults of their fields.

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

/// Added to the variance.
pub(super) fn eps() -> f32 {
    1e-5
}

pub(super) fn is_eps(value: &f32) -> bool {
    *value == eps()
}

/// The weight of the newest batch in running values.
pub(super) fn momentum() -> f32 {
    0.1
}

pub(super) fn is_momentum(value: &f32) -> bool {
    *value == momentum()
}

/// What fields that switch something off are without it.
pub(super) fn yes() -> bool {
    true
}

pub(super) fn is_yes(value: &bool) -> bool {
    *value
}
