//! `wgrad bench`.

use super::{Ending, say};
use clap::Args;
use gpu_core::Device;
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;
use train::bench::{self, Peak, Plan, Report, Timing, Training};
use train::config::DeviceKind;
use train::console::Console;
use train::{Error, Result};

#[derive(Args)]
pub struct Flags {
    /// Device to measure
    #[arg(long, value_enum, default_value_t = DeviceKind::Auto)]
    device: DeviceKind,
    /// Only rows with this in their name
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// How long each row is repeated
    #[arg(long, value_name = "SECONDS", default_value_t = 0.5)]
    seconds: f64,
    /// Write all figures to this file as well
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Show beside each row how many times as fast it is as in this file
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
}

pub fn run(flags: &Flags) -> Result<Ending> {
    if !(0.0..=3600.0).contains(&flags.seconds) {
        return Err(Error::Setting(format!("--seconds {} is out of range; 0 to 3600 is wanted", flags.seconds)));
    }
    if let Some(folder) = flags.json.as_deref().and_then(|path| path.parent()).filter(|f| !f.as_os_str().is_empty() && !f.is_dir())
    {
        return Err(Error::Setting(format!("--json: there is no folder {}; make it first", folder.display())));
    }
    let before = flags.compare.as_deref().map(Report::read).transpose()?;
    let before = before.map_or_else(HashMap::new, |report| medians(&report));
    let device = Device::named(flags.device.name())?;
    let console = Console::new(false);
    console.note(&format!("measuring {}; a row takes {} s", device.name(), flags.seconds));
    let plan = Plan { filter: flags.filter.clone(), budget: Duration::from_secs_f64(flags.seconds), runs: 5 };
    say(&format!("{:<38} {:>9} {:>9} {:>8} {:>5}  {}", "row", "ms", "GFLOP/s", "GB/s", "peak", factor_title(&before)))?;
    let report = bench::run(&device, &plan, &mut |timing| console.say(&line(timing, &before)))?;
    if report.kernels.is_empty() && report.training.is_empty() {
        return Err(Error::Setting(format!("no row has \"{}\" in its name", flags.filter)));
    }
    report.training.iter().try_for_each(|row| say(&training_line(row, &before)))?;
    say(&peak_line(&report.peak))?;
    slowest(&report).iter().try_for_each(|text| say(text))?;
    if let Some(path) = &flags.json {
        report.write(path)?;
    }
    Ok(Ending::Done)
}

/// The median of each row by its name.
fn medians(report: &Report) -> HashMap<String, f64> {
    let kernels = report.kernels.iter().map(|row| (row.name.clone(), row.median_ms));
    kernels.chain(report.training.iter().map(|row| (row.name.clone(), row.step_ms))).collect()
}

fn factor_title(before: &HashMap<String, f64>) -> &'static str {
    if before.is_empty() { "" } else { "as fast" }
}

/// How many times as fast a row is as before.
fn factor(before: &HashMap<String, f64>, name: &str, ms: f64) -> String {
    before.get(name).map_or(String::new(), |before| format!("{:.2}x", before / ms))
}

fn cut(text: &str, width: usize) -> String {
    match text.chars().count() > width {
        true => text.chars().take(width - 1).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

/// At most 80 columns.
fn line(row: &Timing, before: &HashMap<String, f64>) -> String {
    let share = format!("{:.0} %", 100.0 * row.peak_share);
    let gflops = if row.gflops > 0.0 { format!("{:.1}", row.gflops) } else { "-".to_owned() };
    let factor = factor(before, &row.name, row.median_ms);
    let text = format!("{:<38} {:>9.3} {gflops:>9} {:>8.2} {share:>5}  {factor}", cut(&row.name, 38), row.median_ms, row.gb_per_s);
    text.trim_end().to_owned()
}

fn training_line(row: &Training, before: &HashMap<String, f64>) -> String {
    let factor = factor(before, &row.name, row.step_ms);
    let parts = format!("host {:.1} ms, read {:.1} ms, first {:.1} s", row.host_ms, row.read_ms, row.first_step_s);
    let memory = format!("{} launches, {} MiB", row.launches, row.peak_bytes >> 20);
    let text =
        format!("{:<26} {:>9.1} ms {:>8.1} images/s  {factor}\n  {parts}; {memory}", row.name, row.step_ms, row.images_per_s);
    text.trim_end().to_owned()
}

fn peak_line(peak: &Peak) -> String {
    format!(
        "peak: {:.1} GFLOP/s, {:.1} GB/s; a launch takes {:.2} us, recording it {:.1} us",
        peak.gflops, peak.gb_per_s, peak.launch_us, peak.record_us
    )
}

/// The tenth of the operators that is furthest from the device's peak.
fn slowest(report: &Report) -> Vec<String> {
    let mut rows: Vec<&Timing> = report.kernels.iter().collect();
    rows.sort_by(|a, b| a.peak_share.total_cmp(&b.peak_share));
    let count = rows.len() / 10;
    let lines = rows.iter().take(count).map(|row| format!("  {:>5.1} %  {}", 100.0 * row.peak_share, cut(&row.name, 66)));
    let title = (count > 0).then(|| "furthest from the device's peak:".to_owned());
    title.into_iter().chain(lines).collect()
}
