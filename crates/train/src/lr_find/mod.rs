//! Which learning rate to take: the range test of Smith ("Cyclical Learning Rates for Training Neural Networks", 2017), as fastai's
//! `lr_find` does it.
//!
//! Step `i` of `n` is done at the rate `from (to / from)^(i / (n - 1))`, each on the next batch, and its loss is smoothed: with
//! `m[i] = beta m[i-1] + (1 - beta) loss[i]`, `m[-1] = 0` and beta = 0.98 it is `m[i] / (1 - beta^(i+1))`. Where that is more than four
//! times its lowest, or the loss not finite, the test ends. The same settings give the same numbers.

mod curve;
mod page;

pub use curve::{Curve, Point, Suggestion};
pub use page::write;

use crate::console::Console;
use crate::error::{Error, Result};
use crate::trainer::{Order, Subject, range_test};
use curve::End;
use serde::Serialize;
use std::path::PathBuf;

/// The fewest steps that a test is made of, and the most.
const STEPS: std::ops::RangeInclusive<u64> = 20..=100_000;

/// The rates of a test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The first.
    pub from: f64,
    /// The last.
    pub to: f64,
    /// How many.
    pub steps: u64,
}

impl Range {
    /// The rates, as the 32-bit floats that a step takes.
    ///
    /// ```
    /// # use train::lr_find::Range;
    /// let rates = Range { from: 1e-3, to: 1.0, steps: 31 }.rates()?;
    /// assert_eq!((rates[0], rates[10], rates[30]), (1e-3, 1e-2, 1.0));
    /// # Ok::<(), train::Error>(())
    /// ```
    ///
    /// # Errors
    /// If they do not rise from above 0, a 32-bit float does not hold them, or there are fewer than 20 or more than 100,000.
    pub fn rates(&self) -> Result<Vec<f32>> {
        let Self { from, to, steps } = *self;
        for (flag, rate) in [("from", from), ("to", to)] {
            if !((rate as f32).is_finite() && rate as f32 > 0.0) {
                return Error::setting(format!(
                    "--{flag} {rate:?} is out of range; a number above 0 that a 32-bit float holds is wanted"
                ));
            }
        }
        if from >= to {
            return Error::setting(format!("--from {from:?} is not below --to {to:?}: the rates rise"));
        }
        if !STEPS.contains(&steps) {
            return Error::setting(format!("--steps {steps} is out of range; {} to {} is wanted", STEPS.start(), STEPS.end()));
        }
        let (low, high) = (libm::log(from), libm::log(to));
        let rate = |i: u64| match i {
            // As they were given, to the last digit.
            0 => from as f32,
            i if i == steps - 1 => to as f32,
            i => libm::exp(low + (high - low) * i as f64 / (steps - 1) as f64) as f32,
        };
        Ok((0..steps).map(rate).collect())
    }
}

/// What a test came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// What it was of.
    #[serde(flatten)]
    pub subject: Subject,
    /// The steps, until the test ended.
    pub points: Vec<Point>,
    /// The rates to take; none where no rate lowers the loss.
    pub suggestion: Option<Suggestion>,
    /// Why it ended there, as a sentence.
    pub end: String,
    /// The loss was not finite or rose to four times its lowest: the test saw all that there is to see.
    pub diverged: bool,
}

impl Found {
    /// Where its page belongs if nobody says another place: in the folder of the runs, under the name of such a run and a number that is
    /// free, or under `name`.
    pub fn place(&self, name: Option<&str>) -> PathBuf {
        if let Some(name) = name {
            return self.subject.out.join(format!("{name}.html"));
        }
        let numbered = |number: u32| self.subject.out.join(format!("lr-find-{}-{number}.html", self.subject.stem));
        (1..).map(numbered).find(|path| path.symlink_metadata().is_err()).expect("one is free")
    }
}

/// Does a test of the network, the data and the update rule that a run of `order` has. What it says of the rate, of its course over the
/// steps, and of what is done at the end of an epoch or a run plays no part. Nothing is written.
///
/// # Errors
/// Bad rates, settings, data or devices; a first loss that is not finite.
pub fn find(order: Order<'_>, range: &Range, console: &mut Console) -> Result<Found> {
    let rates = range.rates()?;
    let mut curve = Curve::default();
    let subject = range_test(order, &rates, console, &mut |loss| curve.add(rates[curve.points().len()], loss))?;
    let interrupted = subject.interrupted;
    let (points, end) = (curve.points().to_vec(), curve.end());
    if points.is_empty() && !interrupted {
        return Error::setting(format!("the loss of the first step, at a rate of {:e}, is not finite: look at the data", rates[0]));
    }
    let (suggestion, at) = (curve.suggestion(rates.len()), points.last().map_or(0.0, |point| point.rate));
    let end = match end {
        _ if interrupted => format!("stopped after {} of {} steps", points.len(), rates.len()),
        Some(End::NotFinite) => format!("the loss was not finite at the rate after {at:.1e}"),
        Some(End::Rose) => format!("the loss rose to four times its lowest at {at:.1e}"),
        None => format!("the loss did not rise to four times its lowest up to {at:.1e}"),
    };
    let diverged = curve.end().is_some();
    Ok(Found { subject, points, suggestion, end, diverged })
}

#[cfg(test)]
mod tests;
