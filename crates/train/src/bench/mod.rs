//! Times: every operator at the sizes of real layers, and whole training steps, beside the device's own measured peaks.
//!
//! An operator's work is recorded once and replayed, so that a time is that of its kernels. Where the adapter has timestamps, the time
//! is the GPU's own.

mod peak;
mod training;

use crate::error::{Error, Result};
use gpu_core::check::{Bench, Launch};
use gpu_core::{Device, ops};
use nn::checkpoint::write_atomically;
pub use peak::Peak;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};
pub use training::{Training, training};

/// One operator's time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// The operator, its shapes and options.
    pub name: String,
    /// Median of the runs, in milliseconds: the GPU's own where it has timestamps.
    pub median_ms: f64,
    /// The fastest run.
    pub fastest_ms: f64,
    /// The first run, with what is compiled then.
    pub first_ms: f64,
    /// How many runs the median is of.
    pub runs: usize,
    /// Floating-point operations a second, in billions; 0 where the row states none.
    pub gflops: f64,
    /// Bytes of the tensors that its kernels are given, a second, in billions.
    pub gb_per_s: f64,
    /// Those bytes.
    pub bytes: u64,
    /// How many kernels it launches.
    pub launches: usize,
    /// The share of the device's peak, of operations or of bytes, whichever is nearer.
    pub peak_share: f64,
}

/// What was measured on one device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The device's name.
    pub device: String,
    /// The version of this program.
    pub version: String,
    /// What the device can do at most.
    pub peak: Peak,
    /// One row an operator.
    pub kernels: Vec<Timing>,
    /// One row a network.
    pub training: Vec<Training>,
}

impl Report {
    /// Reads what [`write`](Self::write) wrote.
    ///
    /// # Errors
    /// If the file cannot be read or holds no report.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read(path).map_err(Error::file("reading", path))?;
        let wrong = |e| Error::content(path, format!("this is not a report of wgrad bench --json: {e}"));
        serde_json::from_slice(&text).map_err(wrong)
    }

    /// Writes all figures as JSON; the file is whole or not there.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_vec_pretty(self).expect("a report is JSON");
        write_atomically(path, |file| file.write_all(&text)).map_err(Error::file("writing", path))
    }
}

/// What to measure, and for how long.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Only rows whose name contains this.
    pub filter: String,
    /// How long each row is repeated.
    pub budget: Duration,
    /// How often at least, after the first run; with 0 and no budget, the first run is the figure.
    pub runs: usize,
}

/// Measures all rows; `seen` is told each operator's row as it is there.
///
/// # Errors
/// A fault of the device.
pub fn run(device: &Device, plan: &Plan, seen: &mut dyn FnMut(&Timing)) -> Result<Report> {
    let peak = Peak::measure(device, plan)?;
    let mut kernels = Vec::new();
    for bench in ops::benches() {
        let name = format!("{} {}", bench.name, bench.what);
        if name.contains(&plan.filter) {
            let timing = time(device, name, &bench, &peak, plan)?;
            seen(&timing);
            kernels.push(timing);
        }
    }
    let training = training::rows(device, plan)?;
    Ok(Report { device: device.name(), version: env!("CARGO_PKG_VERSION").to_owned(), peak, kernels, training })
}

fn time(device: &Device, name: String, bench: &Bench, peak: &Peak, plan: &Plan) -> Result<Timing> {
    let (runs, launches) = replayed(device, bench, plan)?;
    let bytes: u64 = launches.iter().map(|l| l.bytes).sum();
    let (flops, median) = (bench.flops as f64, runs.median);
    let (gflops, gb_per_s) = (flops / median / 1e9, bytes as f64 / median / 1e9);
    Ok(Timing {
        name,
        median_ms: median * 1e3,
        fastest_ms: runs.fastest * 1e3,
        first_ms: runs.first * 1e3,
        runs: runs.count,
        gflops,
        gb_per_s,
        bytes,
        launches: launches.iter().map(|l| l.count).sum(),
        peak_share: (gflops / peak.gflops).max(gb_per_s / peak.gb_per_s),
    })
}

/// The times of a row's recorded work, and what it launches.
fn replayed(device: &Device, bench: &Bench, plan: &Plan) -> Result<(Runs, Vec<Launch>)> {
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
struct Runs {
    first: f64,
    median: f64,
    fastest: f64,
    count: usize,
}

/// Runs `run`, which gives its own time, once to warm up and then as the plan says.
fn repeat(plan: &Plan, mut run: impl FnMut() -> Result<f64>) -> Result<Runs> {
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
        let plan = |runs| Plan { filter: String::new(), budget: Duration::ZERO, runs };
        let runs = repeat(&plan(5), || Ok(times.next().unwrap())).unwrap();
        assert_eq!(runs, Runs { first: 9.0, median: 3.0, fastest: 1.0, count: 5 });
        let runs = repeat(&plan(0), || Ok(7.0)).unwrap();
        assert_eq!(runs, Runs { first: 7.0, median: 7.0, fastest: 7.0, count: 1 });
    }

    #[test]
    fn a_row_counts_its_bytes_and_states_its_share() {
        let plan = Plan { filter: "relu 1".into(), budget: Duration::from_millis(1), runs: 5 };
        let mut seen = Vec::new();
        let report = run(&Device::Cpu, &plan, &mut |timing| seen.push(timing.clone())).unwrap();
        assert_eq!(report.kernels, seen);
        let relu = &report.kernels[0];
        assert_eq!((relu.bytes, relu.launches), (2 * 4 * 128 * 64 * 32 * 32, 1));
        assert!(relu.peak_share > 0.0 && relu.runs >= 5 && relu.gflops == 0.0, "{relu:?}");
    }
}
