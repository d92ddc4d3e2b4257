//! The numbers of a layer: none comes out without having been checked under its field's name.

use super::plan::Wrong;
use gpu_core::ops::Padding;
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

/// Padding: a number, `[rows, columns]`, `[top, bottom, left, right]`, or `"same"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a whole number, [rows, columns], [top, bottom, left, right] or \"same\" is expected")]
pub enum Edges {
    /// All sides.
    All(usize),
    /// Above and below, left and right; before and after where there is one axis.
    Each([usize; 2]),
    /// Top, bottom, left, right.
    Sides([usize; 4]),
    /// What keeps a convolution's extents at stride 1.
    Named(Same),
}

/// The word `"same"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Same {
    /// The same extents.
    Same,
}

impl Edges {
    /// Around the images of a convolution.
    pub(super) fn around(self, name: &str, kernel: [usize; 2], dilation: [usize; 2]) -> Result<Padding<2>, Wrong> {
        Ok(match self {
            Self::All(all) => Padding::from(at_most(name, [all])?[0]),
            Self::Each(each) => Padding::from(at_most(name, each)?),
            Self::Sides(sides) => Padding::from(at_most(name, sides)?),
            Self::Named(Same::Same) => Padding::same(kernel, dilation),
        })
    }

    /// Before and after the one axis of a convolution.
    pub(super) fn ends(self, name: &str, kernel: usize, dilation: usize) -> Result<Padding<1>, Wrong> {
        Ok(match self {
            Self::All(all) => Padding::from(at_most(name, [all])?[0]),
            Self::Each(ends) => Padding::<1>::from(at_most(name, ends)?),
            Self::Sides(_) => return Err(format!("`{name}` is a number or [before, after] where there is one axis").into()),
            Self::Named(Same::Same) => Padding::same([kernel], [dilation]),
        })
    }

    /// Rows and columns, for a layer that pads opposite sides alike.
    pub(super) fn pair(self, name: &str) -> Result<[usize; 2], Wrong> {
        match self {
            Self::All(all) => at_most(name, [all; 2]),
            Self::Each(each) => at_most(name, each),
            Self::Sides([top, bottom, left, right]) if top == bottom && left == right => at_most(name, [top, left]),
            _ => Err(format!("`{name}` must be the same on opposite sides here: a number or [rows, columns]").into()),
        }
    }

    /// Of one axis, for a layer that pads both ends alike.
    pub(super) fn single(self, name: &str) -> Result<usize, Wrong> {
        match self {
            Self::All(all) => Ok(at_most(name, [all])?[0]),
            _ => Err(format!("`{name}` is a number where there is one axis").into()),
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

/// Numbers from 0 on.
fn at_most<const N: usize>(name: &str, values: [usize; N]) -> Result<[usize; N], Wrong> {
    within(name, &values, 0)?;
    Ok(values)
}

/// A number from 0 on.
pub(super) fn count(name: &str, value: usize) -> Result<usize, Wrong> {
    within(name, &[value], 0)?;
    Ok(value)
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
    pub fn is_yes(value: &bool) -> bool {
        *value
    }
}
