//! Times: every operator at the sizes of real layers, and whole training steps, beside the device's own measured peaks.
//!
//! An operator's work is recorded once and replayed, so that a time is that of its kernels. Where the adapter has timestamps, the time
//! is the GPU's own.

mod drawn;
mod layers;
mod page;
mod peak;
mod repeat;
mod training;

use crate::error::{Error, Result};
use crate::file;
use gpu_core::Device;
use nn::checkpoint::{read_plain, write_atomically};
pub use peak::Peak;
use proof::Bench;
pub use repeat::Plan;
use repeat::replayed;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::Path;
pub use training::{KernelTime, Subject, Training, training};

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
    /// The rows that were left out because they would take too long.
    #[serde(default)]
    pub skipped: Vec<String>,
}

impl Report {
    /// Reads what [`write`](Self::write) wrote.
    ///
    /// # Errors
    /// If the file cannot be read or holds no report.
    pub fn read(path: &Path) -> Result<Self> {
        let text = read_plain(path, file::PICTURE).map_err(Error::file("reading", path))?;
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

/// All operators that `plan` has: those that it draws, or else the kernels' table and the layers of real networks.
fn table(plan: &Plan) -> Vec<Bench> {
    match plan.drawn {
        Some(seed) => drawn::benches(seed),
        None => proof::benches().into_iter().chain(layers::benches()).collect(),
    }
}

/// Whether `plan` wants any row at all.
pub fn has_rows(plan: &Plan) -> bool {
    table(plan).iter().any(|bench| row_name(bench).contains(&plan.filter)) || training::has_rows(plan)
}

fn row_name(bench: &Bench) -> String {
    format!("{} {}", bench.name, bench.what)
}

/// Measures all rows; `seen` is told each operator's row as it is there.
///
/// # Errors
/// A fault of the device.
pub fn run(device: &Device, plan: &Plan, seen: &mut dyn FnMut(&Timing)) -> Result<Report> {
    let mut report = operators(device, plan, seen)?;
    let (training, skipped) = training::rows(device, plan, report.peak.gflops)?;
    report.skipped.extend(skipped);
    Ok(Report { training, ..report })
}

/// As [`run`], without the steps of whole networks.
///
/// # Errors
/// A fault of the device.
pub fn operators(device: &Device, plan: &Plan, seen: &mut dyn FnMut(&Timing)) -> Result<Report> {
    let peak = Peak::measure(device, plan)?;
    let (mut kernels, mut skipped) = (Vec::new(), Vec::new());
    for bench in table(plan) {
        let name = row_name(&bench);
        if !name.contains(&plan.filter) {
            continue;
        }
        // Before its tensors are made: they may be as large as the row is long.
        if bench.flops as f64 / (1e9 * peak.gflops) > plan.longest.as_secs_f64() {
            skipped.push(name);
        } else {
            let timing = time(device, name, &bench, &peak, plan)?;
            seen(&timing);
            kernels.push(timing);
        }
    }
    let (device, version) = (device.name(), env!("CARGO_PKG_VERSION").to_owned());
    Ok(Report { device, version, peak, kernels, training: Vec::new(), skipped })
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::time::Duration;

    fn plan(filter: &str) -> Plan {
        Plan { drawn: None, filter: filter.into(), budget: Duration::from_millis(1), runs: 5, longest: Duration::from_secs(60) }
    }

    #[test]
    fn the_peers_workloads_are_there_forward_and_each_gradient() {
        let names: Vec<String> = table(&plan("")).iter().map(|b| format!("{} {}", b.name, b.what)).collect();
        let of = |tail: &str| names.iter().filter_map(|n| n.strip_suffix(tail)).collect::<Vec<_>>();
        assert_eq!(of(" w4 3x3 64>64 32x32 b32"), ["conv2d", "conv2d_bwd_x", "conv2d_bwd_w"]);
        assert_eq!(of(" w4 3x3 64 depthwise 32x32 b32"), ["conv2d", "conv2d_bwd_x", "conv2d_bwd_w"]);
        let transposed = ["conv_transpose2d", "conv_transpose2d_bwd_x", "conv_transpose2d_bwd_w"];
        assert_eq!(of(" w4 4x4 s2 64>32 16x16 b32"), transposed);
        assert_eq!(of(" w4 64 32x32 b32"), ["batch_norm", "batch_norm_bwd"]);
        assert_eq!(of(" w4 2x2 s2 64 32x32 b32"), ["max_pool2d", "max_pool2d_bwd_x"]);
        assert_eq!(of(" w4 4096x1000"), ["cross_entropy", "cross_entropy_bwd"]);
        assert_eq!((of(" w4 16M"), of(" w4 512"), of(" w4 1024")), (vec!["dropout", "add"], vec!["matmul"], vec!["matmul"]));
        for network in ["resnet20", "resnet50", "mobilenet", "unet"] {
            let gradients = names.iter().filter(|n| n.contains("_bwd_") && n.contains(network)).count();
            assert!(gradients >= 6, "{network} has {gradients} rows of gradients");
        }
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "two rows have one name");
    }

    #[test]
    fn a_layer_counts_its_operations_and_a_long_one_is_left_out_before_anything_is_allocated() {
        let flops = |wanted: &str| table(&plan("")).into_iter().find(|b| format!("{} {}", b.name, b.what) == wanted).unwrap().flops;
        assert_eq!(flops("conv2d_bwd_w w4 3x3 64>64 32x32 b32"), 2 * 32 * 64 * 1024 * 64 * 9);
        assert_eq!(flops("conv_transpose2d w4 4x4 s2 64>32 16x16 b32"), 2 * 32 * 64 * 256 * 32 * 16);
        assert_eq!(flops("conv2d mobilenet 3x3 s2 64 depthwise 112x112 b32"), 2 * 32 * 64 * 56 * 56 * 9);
        let plan = Plan { longest: Duration::ZERO, runs: 0, budget: Duration::ZERO, ..plan("unet 3x3 512") };
        let report = run(&Device::Cpu, &plan, &mut |_| panic!("a row was run")).unwrap();
        let of = |op: &str| format!("{op} unet 3x3 512>512 32x32 b4");
        assert_eq!(report.skipped, ["conv2d", "conv2d_bwd_x", "conv2d_bwd_w"].map(of));
    }

    #[test]
    fn a_step_says_where_its_time_goes_on_both_devices() {
        for device in proof::devices() {
            let plan = Plan { runs: 1, budget: Duration::ZERO, ..plan("") };
            let row = training(&device, &plan, Subject::training("small-cnn", 2)).unwrap();
            assert!(row.peak_bytes > 0 && row.first_step_s > 0.0 && row.step_ms > 0.0 && row.host_ms <= row.step_ms, "{row:?}");
            let kernels = row.kernels.expect("both devices have clocks");
            assert_eq!(kernels.iter().map(|k| k.launches).sum::<usize>(), row.launches);
            assert!((kernels.iter().map(|k| k.share).sum::<f64>() - 1.0).abs() < 1e-9, "{kernels:?}");
            assert!(kernels.is_sorted_by(|a, b| a.ms >= b.ms), "{kernels:?}");
            assert!(kernels.iter().any(|k| k.name == "batch_norm_apply" && k.launches == 4), "{kernels:?}");
        }
    }

    #[test]
    fn a_report_comes_back_from_its_file() {
        let mut report = run(&Device::Cpu, &plan("relu 1"), &mut |_| {}).unwrap();
        let (folder, plan) = (tempfile::tempdir().unwrap(), Plan { runs: 1, budget: Duration::ZERO, ..plan("") });
        report.training.push(training(&Device::Cpu, &plan, Subject::evaluation("small-cnn", 2)).unwrap());
        let path = folder.path().join("report.json");
        report.write(&path).unwrap();
        let read = Report::read(&path).unwrap();
        assert_eq!((&read.kernels[0].name, read.training[0].launches), (&report.kernels[0].name, report.training[0].launches));
        let text = std::fs::read_to_string(&path).unwrap();
        for key in
            ["gb_per_s", "peak_share", "bytes", "launch_us", "record_us", "encode_us", "batched_us", "images_per_s", "host_ms"]
        {
            assert!(text.contains(&format!("\"{key}\"")), "{key} is missing");
        }
        for key in ["read_ms", "first_step_s", "peak_bytes", "share", "skipped"] {
            assert!(text.contains(&format!("\"{key}\"")), "{key} is missing");
        }
        std::fs::write(&path, "{}").unwrap();
        assert!(Report::read(&path).unwrap_err().to_string().contains("this is not a report of wgrad bench --json"));
    }

    #[test]
    fn a_row_counts_its_bytes_and_states_its_share() {
        let mut seen = Vec::new();
        let report = run(&Device::Cpu, &plan("relu 1"), &mut |timing| seen.push(timing.clone())).unwrap();
        assert_eq!(report.kernels, seen);
        let relu = &report.kernels[0];
        assert_eq!((relu.bytes, relu.launches), (2 * 4 * 128 * 64 * 32 * 32, 1));
        assert!(relu.peak_share > 0.0 && relu.runs >= 5 && relu.gflops == 0.0, "{relu:?}");
    }
}
