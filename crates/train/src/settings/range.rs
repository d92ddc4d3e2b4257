//! Which values a setting takes.

use crate::error::{Error, Result};
use std::fmt::Display;

/// The values that a setting takes, and the words for them.
pub(super) struct Range<T> {
    holds: Box<dyn Fn(&T) -> bool>,
    wanted: String,
}

impl<T: Display> Range<T> {
    fn new(wanted: impl Into<String>, holds: impl Fn(&T) -> bool + 'static) -> Self {
        Self { holds: Box::new(holds), wanted: wanted.into() }
    }

    /// # Errors
    /// If `value` is not one of them.
    pub fn check(&self, name: &str, value: &T) -> Result<()> {
        if (self.holds)(value) { Ok(()) } else { refuse(name, value, &self.wanted) }
    }
}

/// The error for a value that the setting of this name does not take.
pub(super) fn refuse(name: &str, value: impl Display, wanted: &str) -> Result<()> {
    Error::setting(format!("--{} {value} is out of range; {wanted} is wanted", name.replace('_', "-")))
}

pub(super) fn at_least<T: PartialOrd + Display + 'static>(least: T) -> Range<T> {
    Range::new(format!("{least} or more"), move |value| *value >= least)
}

pub(super) fn at_most<T: PartialOrd + Display + 'static>(most: T) -> Range<T> {
    Range::new(format!("{most} or less"), move |value| *value <= most)
}

pub(super) fn positive() -> Range<f64> {
    Range::new("a number above 0", |value: &f64| value.is_finite() && *value > 0.0)
}

pub(super) fn non_negative() -> Range<f64> {
    Range::new("a number of 0 or more", |value: &f64| value.is_finite() && *value >= 0.0)
}

/// A share of something that is never all of it.
pub(super) fn share() -> Range<f64> {
    Range::new("0 or more and below 1", |value| (0.0..1.0).contains(value))
}

/// A folder's name that leads nowhere else.
pub(super) fn folder_name() -> Range<String> {
    Range::new("a folder's name without a path (--out gives the path)", |name: &String| {
        !name.is_empty() && !name.contains(['/', '\\']) && name != "." && name != ".."
    })
}
