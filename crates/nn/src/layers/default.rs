//! What fields are that a layer list leaves out, and whether one is what it would be.

/// Of switches that are on.
pub(super) fn yes() -> bool {
    true
}

pub(super) fn is_yes(value: &bool) -> bool {
    *value
}

/// Of switches that are off.
pub(super) fn is_no(value: &bool) -> bool {
    !value
}

/// Groups of a convolution.
pub(super) fn one() -> usize {
    1
}

/// What a normalisation adds to the variance.
pub(super) fn eps() -> f32 {
    1e-5
}

pub(super) fn is_eps(value: &f32) -> bool {
    *value == eps()
}

/// The weight of the newest batch in the running values of a normalisation.
pub(super) fn momentum() -> f32 {
    0.1
}

pub(super) fn is_momentum(value: &f32) -> bool {
    *value == momentum()
}
