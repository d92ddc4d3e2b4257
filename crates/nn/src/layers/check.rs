//! What a layer's fields and inputs may be, and what is said where they are not.

use crate::module::ShapeError;
use gpu_core::Shape;

/// No number of a layer may be larger: products of four stay in 64 bits.
const MAX_NUMBER: usize = 65_535;

/// All is well, or what is wrong.
pub(super) type Checked = Result<(), ShapeError>;

/// What is wrong with a layer.
pub(super) fn wrong<T>(message: impl Into<String>) -> Result<T, ShapeError> {
    Err(ShapeError::new(message))
}

/// That `fits`; else `message`.
pub(super) fn expect(fits: bool, message: impl FnOnce() -> String) -> Checked {
    if fits { Ok(()) } else { wrong(message()) }
}

/// The numbers of the field `name`, which are at least `least`.
pub(super) fn within(name: &str, values: &[usize], least: usize) -> Checked {
    expect(values.iter().all(|v| (least..=MAX_NUMBER).contains(v)), || format!("`{name}` must be {least} to {MAX_NUMBER}"))
}

/// The number `name`, at least 1.
pub(super) fn size(name: &str, value: usize) -> Checked {
    within(name, &[value], 1)
}

/// The number `name`, which is finite and for which `ok` holds; `wanted` says what that is.
pub(super) fn real(name: &str, value: f32, ok: impl Fn(f32) -> bool, wanted: &str) -> Checked {
    expect(value.is_finite() && ok(value), || format!("`{name}` is {value}, not {wanted}"))
}

/// Any finite number.
pub(super) fn finite(name: &str, value: f32) -> Checked {
    real(name, value, |_| true, "a number")
}

/// A number from 0 on.
pub(super) fn not_negative(name: &str, value: f32) -> Checked {
    real(name, value, |v| v >= 0.0, "a number of 0 or more")
}

/// A number above 0.
pub(super) fn positive(name: &str, value: f32) -> Checked {
    real(name, value, |v| v > 0.0, "a number above 0")
}

/// A number from 0 to 1.
pub(super) fn probability(name: &str, value: f32) -> Checked {
    real(name, value, |v| (0.0..=1.0).contains(&v), "in 0 to 1")
}

/// Groups that divide the channels that come in and those that go out.
pub(super) fn groups(groups: usize, input: usize, output: usize) -> Checked {
    size("groups", groups)?;
    expect(input.is_multiple_of(groups) && output.is_multiple_of(groups), || {
        format!("{groups} groups do not divide {input} input and {output} output channels")
    })
}

/// What inputs of `D` axes behind the channels are called.
pub(super) fn axes(d: usize) -> &'static str {
    if d == 1 { "(N, C, L)" } else { "(N, C, H, W)" }
}

/// The channels of an input with `D` axes behind them.
pub(super) fn channels_of<const D: usize>(input: Shape) -> Result<usize, ShapeError> {
    match input.rank() == 2 + D {
        true => Ok(input.c()),
        false => wrong(format!("{} is expected, {input} comes in", axes(D))),
    }
}

/// The channels of an input, whatever comes after them.
pub(super) fn channels(input: Shape) -> Result<usize, ShapeError> {
    match input.rank() {
        0 | 1 => wrong(format!("{input} has no channels")),
        _ => Ok(input.c()),
    }
}
