//! The numbers of a layer: none comes out without having been checked under its field's name.

use super::plan::Wrong;
use serde::{Deserialize, Serialize};

/// No number of a layer list may be larger: products of four stay in 64 bits.
pub(super) const MAX_NUMBER: usize = 65_535;

/// A kernel, stride or dilation: a number, or `[rows, columns]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a whole number or [rows, columns] is expected")]
pub enum Extent {
    /// Both axes.
    Both(usize),
    /// Rows and columns.
    Each([usize; 2]),
}

impl Extent {
    /// Rows and columns.
    pub fn pair(self) -> [usize; 2] {
        match self {
            Self::Both(both) => [both; 2],
            Self::Each(pair) => pair,
        }
    }

    /// Rows and columns of the field `name`, each at least 1.
    pub(super) fn sizes(self, name: &str) -> Result<[usize; 2], Wrong> {
        within(name, &self.pair(), 1)?;
        Ok(self.pair())
    }

    /// Rows and columns of the field `name`; zero is a number too.
    pub(super) fn counts(self, name: &str) -> Result<[usize; 2], Wrong> {
        within(name, &self.pair(), 0)?;
        Ok(self.pair())
    }
}

/// Padding: a number, `[rows, columns]`, or `[top, bottom, left, right]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a whole number, [rows, columns] or [top, bottom, left, right] is expected")]
pub enum Edges {
    /// All four sides.
    All(usize),
    /// Above and below, left and right.
    Each([usize; 2]),
    /// Top, bottom, left, right.
    Sides([usize; 4]),
}

impl Edges {
    /// Top, bottom, left, right.
    pub fn four(self) -> [usize; 4] {
        match self {
            Self::All(all) => [all; 4],
            Self::Each([rows, columns]) => [rows, rows, columns, columns],
            Self::Sides(sides) => sides,
        }
    }

    /// Top, bottom, left, right of the field `name`.
    pub(super) fn sides(self, name: &str) -> Result<[usize; 4], Wrong> {
        within(name, &self.four(), 0)?;
        Ok(self.four())
    }

    /// Rows and columns of the field `name`, for a layer that pads opposite sides alike.
    pub(super) fn pair(self, name: &str) -> Result<[usize; 2], Wrong> {
        let [top, bottom, left, right] = self.sides(name)?;
        match top == bottom && left == right {
            true => Ok([top, left]),
            false => Err(format!("`{name}` must be the same on opposite sides here; put a padding layer before this one").into()),
        }
    }
}

impl Default for Edges {
    fn default() -> Self {
        Self::All(0)
    }
}

impl From<usize> for Extent {
    fn from(both: usize) -> Self {
        Self::Both(both)
    }
}

impl From<[usize; 2]> for Extent {
    fn from(pair: [usize; 2]) -> Self {
        Self::Each(pair)
    }
}

impl From<usize> for Edges {
    fn from(all: usize) -> Self {
        Self::All(all)
    }
}

impl From<[usize; 2]> for Edges {
    fn from(pair: [usize; 2]) -> Self {
        Self::Each(pair)
    }
}

impl From<[usize; 4]> for Edges {
    fn from(sides: [usize; 4]) -> Self {
        Self::Sides(sides)
    }
}

/// A number of at least 1.
pub(super) fn size(name: &str, value: usize) -> Result<usize, Wrong> {
    within(name, &[value], 1)?;
    Ok(value)
}

fn within(name: &str, values: &[usize], least: usize) -> Result<(), Wrong> {
    match values.iter().all(|v| (least..=MAX_NUMBER).contains(v)) {
        true => Ok(()),
        false => Err(format!("`{name}` must be {least} to {MAX_NUMBER}").into()),
    }
}

/// A number that is finite and for which `ok` holds; `wanted` says what that is.
pub(super) fn real(name: &str, value: f32, ok: impl Fn(f32) -> bool, wanted: &str) -> Result<f32, Wrong> {
    match value.is_finite() && ok(value) {
        true => Ok(value),
        false => Err(format!("`{name}` is {value}, not {wanted}").into()),
    }
}

/// A number from 0 to 1.
pub(super) fn probability(name: &str, value: f32) -> Result<f32, Wrong> {
    real(name, value, |v| (0.0..=1.0).contains(&v), "in 0 to 1")
}

/// Groups that divide the channels that come in and those that go out.
pub(super) fn groups(groups: usize, input: usize, output: usize) -> Result<usize, Wrong> {
    let groups = size("groups", groups)?;
    match input.is_multiple_of(groups) && output.is_multiple_of(groups) {
        true => Ok(groups),
        false => Err(format!("{groups} groups do not divide {input} input and {output} output channels").into()),
    }
}

/// Defaults, for `#[serde(default = "default::one")]`.
pub(super) mod default {
    use super::Extent;

    pub fn one() -> Extent {
        Extent::Both(1)
    }
    pub fn zero() -> Extent {
        Extent::Both(0)
    }
    pub fn single() -> usize {
        1
    }
    pub fn yes() -> bool {
        true
    }
}
