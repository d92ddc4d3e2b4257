//! Which values a setting takes.

use super::kinds::Warmup;
use crate::error::{Error, Result};
use std::fmt::{Debug, Display};

/// The values that a setting takes, and the words for them.
pub(super) struct Range<T> {
    holds: Box<dyn Fn(&T) -> bool>,
    wanted: String,
}

impl<T: Display + Debug> Range<T> {
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
pub(super) fn refuse(name: &str, value: impl Display + Debug, wanted: &str) -> Result<()> {
    // A float of many digits has fewer with an exponent.
    let text = value.to_string();
    let text = if text.len() > 20 { format!("{value:?}") } else { text };
    Error::setting(format!("--{} {text} is out of range; {wanted} is wanted", name.replace('_', "-")))
}

/// A count. TOML has no larger integers: what a run writes to its `config.toml` must be read back.
pub(super) fn count_from<T: PartialOrd + Display + Debug + Copy + 'static>(least: T) -> Range<T>
where
    i64: TryFrom<T>,
{
    Range::new(format!("{least} to {}", i64::MAX), move |value| *value >= least && i64::try_from(*value).is_ok())
}

/// A rise that TOML can hold and a run can have.
pub(super) fn warmup() -> Range<Warmup> {
    Range::new(format!("0 to {} steps, 0 % or more and below 100 %, or 0 epochs or more", i64::MAX), |warmup| match *warmup {
        Warmup::Steps(steps) => i64::try_from(steps).is_ok(),
        Warmup::Share(percent) => (0.0..100.0).contains(&percent),
        Warmup::Epochs(epochs) => epochs.is_finite() && epochs >= 0.0,
    })
}

/// A number of pixels that an image may have on a side.
pub(super) fn side() -> Range<usize> {
    Range::new("1 to 4096", |side| (1..=4096).contains(side))
}

// A setting is computed with as a 32-bit float, and is checked as what it becomes: 1e39 is infinite there, 0.99999999999 is 1.

pub(super) fn positive() -> Range<f64> {
    Range::new("a number above 0 that a 32-bit float holds", |value: &f64| (*value as f32).is_finite() && *value as f32 > 0.0)
}

pub(super) fn non_negative() -> Range<f64> {
    Range::new("a number of 0 or more that a 32-bit float holds", |value: &f64| (*value as f32).is_finite() && *value >= 0.0)
}

/// A share of something that is never all of it.
pub(super) fn share() -> Range<f64> {
    Range::new("0 or more and below 1 as a 32-bit float", |value| *value >= 0.0 && (0.0..1.0).contains(&(*value as f32)))
}

/// A fingerprint of a data set.
pub(super) fn fingerprint() -> Range<String> {
    Range::new("eight digits from 0 to f", |text: &String| {
        text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// A folder's name that leads nowhere else.
pub(super) fn folder_name() -> Range<String> {
    Range::new("a folder's name without a path (--out gives the path)", |name: &String| {
        !name.is_empty() && !name.contains(['/', '\\']) && name != "." && name != ".."
    })
}
