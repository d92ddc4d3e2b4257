//! How often something is run, and what its times come to.

use crate::error::Result;
use gpu_core::Device;
use proof::{Bench, Launch};
use std::time::{Duration, Instant};

/// What to measure, and for how long.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Convolutions of common networks that this seed draws, in the place of all other rows.
    pub drawn: Option<u64>,
    /// Only rows whose name contains this.
    pub filter: String,
    /// How long each row is repeated.
    pub budget: Duration,
    /// How often at least, after the first run; with 0 and no budget, the first run is the figure.
    pub runs: usize,
    /// Rows whose operations would take longer at the device's peak are left out.
    pub longest: Duration,
}

/// The times of a row's recorded work, and what it launches.
pub(super) fn replayed(device: &Device, bench: &Bench, plan: &Plan) -> Result<(Runs, Vec<Launch>)> {
    let (capture, launches) = bench.capture(device)?;
    let runs = repeat(plan, || {
        let start = Instant::now();
        let on_device = capture.replay_timed()?;
        // Timestamps of a driver may be too coarse for a short pass.
        Ok(on_device.filter(|s| *s > 0.0).unwrap_or(start.elapsed().as_secs_f64()))
    })?;
    Ok((runs, launches))
}

/// The times of repeated runs, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Runs {
    pub first: f64,
    pub median: f64,
    pub fastest: f64,
    pub count: usize,
}

/// Of what was measured beside a [`repeat`]: the first run is no part of it, where there are others.
pub(super) fn median_after_first(times: &[f64]) -> f64 {
    median(times[usize::from(times.len() > 1)..].to_vec())
}

pub(super) fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Runs `run`, which gives its own time, once to warm up and then as the plan says.
pub(super) fn repeat(plan: &Plan, mut run: impl FnMut() -> Result<f64>) -> Result<Runs> {
    let first = run()?;
    let (start, mut times) = (Instant::now(), Vec::new());
    while times.len() < plan.runs || start.elapsed() < plan.budget {
        times.push(run()?);
    }
    if times.is_empty() {
        times.push(first);
    }
    times.sort_by(f64::total_cmp);
    Ok(Runs { first, median: times[times.len() / 2], fastest: times[0], count: times.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_run_is_not_part_of_the_median() {
        let mut times = [9.0, 1.0, 3.0, 2.0, 5.0, 4.0].into_iter();
        let plan =
            |runs| Plan { drawn: None, filter: String::new(), budget: Duration::ZERO, runs, longest: Duration::from_secs(60) };
        let runs = repeat(&plan(5), || Ok(times.next().unwrap())).unwrap();
        assert_eq!(runs, Runs { first: 9.0, median: 3.0, fastest: 1.0, count: 5 });
        let runs = repeat(&plan(0), || Ok(7.0)).unwrap();
        assert_eq!(runs, Runs { first: 7.0, median: 7.0, fastest: 7.0, count: 1 });
    }
}
