//! `wgrad bench`.

use super::answer::{Ending, say};
use super::columns::cut;
use clap::Args;
use gpu_core::Device;
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;
use train::bench::{self, Peak, Plan, Report, Timing, Training};
use train::console::Console;
use train::page::expect_replaceable;
use train::settings::DeviceKind;
use train::{Error, Result, expect_place};

#[derive(Args)]
pub struct Flags {
    /// Device to measure
    #[arg(long, value_enum, default_value_t = DeviceKind::Auto)]
    device: DeviceKind,
    /// Only rows with this in their name
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// In place of the table, forty convolutions of common networks at sizes and batches that this seed draws
    #[arg(long, value_name = "SEED")]
    drawn: Option<u64>,
    /// How long each row is repeated
    #[arg(long, value_name = "SECONDS", default_value_t = 0.5)]
    seconds: f64,
    /// Also rows that take over a quarter of a second at the device's peak, steps of networks over two
    #[arg(long)]
    all: bool,
    /// Write all figures to this file as well
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Show beside each row how many times as fast it is as in this file, of this machine or of another
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// Write a page for a browser: each row below the device's roof
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub fn run(flags: &Flags) -> Result<Ending> {
    if !(0.0..=3600.0).contains(&flags.seconds) {
        return Err(Error::Setting(format!("--seconds {} is out of range; 0 to 3600 is wanted", flags.seconds)));
    }
    if let Some(path) = &flags.json {
        expect_place("--json", path)?;
    }
    if let Some(path) = &flags.html {
        expect_replaceable(path)?;
        expect_place("--html", path)?;
    }
    let longest = if flags.all { Duration::MAX } else { Duration::from_millis(250) };
    let plan =
        Plan { drawn: flags.drawn, filter: flags.filter.clone(), budget: Duration::from_secs_f64(flags.seconds), runs: 5, longest };
    if !bench::has_rows(&plan) {
        return Err(Error::Setting(format!("no row has \"{}\" in its name", flags.filter)));
    }
    let before = flags.compare.as_deref().map(Report::read).transpose()?;
    let earlier = before.as_ref();
    let before = earlier.map_or_else(HashMap::new, medians);
    let device = Device::named(&flags.device.to_string())?;
    let console = Console::new(false);
    console.note(&format!("measuring {}; a row takes {} s", device.name(), flags.seconds));
    let title = format!("{:<38} {:>9} {:>9} {:>8} {:>5} {:>6}", "row", "ms", "GFLOP/s", "GB/s", "peak", factor_title(&before));
    say(title.trim_end())?;
    let report = bench::run(&device, &plan, &mut |timing| console.say(&line(timing, &before)))?;
    report.training.iter().try_for_each(|row| say(&training_line(row, &before)))?;
    // Only where steps were asked for: six tables beside all operators would be a flood.
    if report.kernels.is_empty() && report.skipped.is_empty() {
        report.training.iter().flat_map(kernel_lines).try_for_each(|text| say(&text))?;
    }
    skipped_line(&report.skipped).into_iter().chain(peak_lines(&report.peak)).try_for_each(|text| say(&text))?;
    slowest(&report).iter().try_for_each(|text| say(text))?;
    if let Some(path) = &flags.json {
        report.write(path)?;
    }
    if let Some(path) = &flags.html {
        report.write_page(earlier, path)?;
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

/// At most 80 columns; a name that is too long for its own has a line to itself.
fn line(row: &Timing, before: &HashMap<String, f64>) -> String {
    let share = format!("{:.0} %", 100.0 * row.peak_share);
    let gflops = if row.gflops > 0.0 { format!("{:.1}", row.gflops) } else { "-".to_owned() };
    let factor = factor(before, &row.name, row.median_ms);
    let figures = format!("{:>9.3} {gflops:>9} {:>8.2} {share:>5} {factor:>6}", row.median_ms, row.gb_per_s);
    let text = match row.name.chars().count() {
        0..=38 => format!("{:<38} {figures}", row.name),
        _ => format!("{}\n{:<38} {figures}", cut(&row.name, 80), ""),
    };
    text.trim_end().to_owned()
}

fn training_line(row: &Training, before: &HashMap<String, f64>) -> String {
    let factor = factor(before, &row.name, row.step_ms);
    let parts = format!("host {:.1} ms, read {:.1} ms, first {:.1} s", row.host_ms, row.read_ms, row.first_step_s);
    let memory = format!("{} launches, {} MiB", row.launches, row.peak_bytes >> 20);
    let rate = format!("{:<26} {:>9.1} ms {:>8.1} images/s  {factor}", row.name, row.step_ms, row.images_per_s);
    format!("{}\n  {parts}; {memory}", rate.trim_end())
}

/// Kernels of a step that are shown.
const SHOWN: usize = 10;

/// Where the time of a step goes.
fn kernel_lines(row: &Training) -> Vec<String> {
    let Some(kernels) = &row.kernels else {
        return vec![format!("{}: this adapter has no timestamps to tell its kernels' times by", row.name)];
    };
    let title = format!("where the time of {} goes (each kernel by itself):", row.name);
    let rest: f64 = kernels.iter().skip(SHOWN).map(|k| k.share).sum();
    let line = |name: &str, share: f64, tail: String| {
        format!("  {:>5.1} %  {:<34}{tail}", 100.0 * share, cut(name, 34)).trim_end().to_owned()
    };
    let shown = kernels.iter().take(SHOWN).map(|k| line(&k.name, k.share, format!(" {:>9.3} ms in {} launches", k.ms, k.launches)));
    let others = kernels.len().saturating_sub(SHOWN);
    let others = (others > 0).then(|| line(&format!("{others} other kernels"), rest, String::new()));
    std::iter::once(title).chain(shown).chain(others).collect()
}

fn skipped_line(skipped: &[String]) -> Option<String> {
    let rows = if skipped.len() == 1 { "1 row".to_owned() } else { format!("{} rows", skipped.len()) };
    (!skipped.is_empty()).then(|| format!("left out: {rows} that would take long at this device's peak (--all: not)"))
}

fn peak_lines(peak: &Peak) -> [String; 2] {
    let [launch, record, encode, batched] = [peak.launch_us, peak.record_us, peak.encode_us, peak.batched_us];
    [
        format!("peak: {:.1} GFLOP/s, {:.1} GB/s; a replayed launch takes {launch:.2} us", peak.gflops, peak.gb_per_s),
        format!("host: {batched:.2} us a launch, or {record:.2} us to record it and {encode:.2} us a replay"),
    ]
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

#[cfg(test)]
mod tests {
    use super::*;
    use train::bench::KernelTime;

    fn timing(name: &str, peak_share: f64) -> Timing {
        Timing {
            name: name.to_owned(),
            median_ms: 12345.678,
            fastest_ms: 1.0,
            first_ms: 1.0,
            runs: 5,
            gflops: 123456.7,
            gb_per_s: 12345.67,
            bytes: 1,
            launches: 1,
            peak_share,
        }
    }

    fn training() -> Training {
        let kernel =
            |i: usize| KernelTime { name: format!("{}{i}", "kernel_".repeat(6)), launches: 1234, ms: 12345.678, share: 0.05 };
        Training {
            name: "train small-cnn b128".to_owned(),
            images_per_s: 1234567.8,
            step_ms: 12345.6,
            host_ms: 12345.6,
            read_ms: 12345.6,
            first_step_s: 123.4,
            launches: 1234,
            peak_bytes: 123 << 30,
            kernels: Some((0..20).map(kernel).collect()),
        }
    }

    #[test]
    fn nothing_is_wider_than_eighty_columns() {
        let long = "conv_transpose2d_bwd_w resnet50 3x3 s2 128>128 56x56 b32 and more of a name that does not end here at all";
        let (short, row) = (timing("relu 8", 0.5), timing(long, 1.0));
        let before = HashMap::from([long, "relu 8", "train small-cnn b128"].map(|name| (name.to_owned(), 999.9)));
        let peak = Peak {
            gflops: 123456.7,
            gb_per_s: 12345.6,
            launch_us: 123.45,
            record_us: 123.45,
            encode_us: 123.45,
            batched_us: 123.45,
        };
        let mut texts = vec![line(&row, &before), line(&short, &before), training_line(&training(), &before)];
        texts.extend(kernel_lines(&training()));
        texts.extend(peak_lines(&peak));
        texts.extend(skipped_line(&vec![long.to_owned(); 12345]));
        for text in texts.iter().flat_map(|text| text.lines()) {
            assert!(text.chars().count() <= 80, "{} columns: {text}", text.chars().count());
            assert_eq!(text.trim_end(), text);
        }
        assert_eq!(line(&short, &HashMap::new()).lines().count(), 1);
        assert_eq!(line(&row, &HashMap::new()).lines().count(), 2);
    }

    #[test]
    fn the_longest_kernels_are_shown_and_the_others_counted() {
        let lines = kernel_lines(&training());
        assert_eq!(lines.len(), 1 + SHOWN + 1);
        assert_eq!(lines.last().unwrap(), "   50.0 %  10 other kernels");
        let blind = Training { kernels: None, ..training() };
        assert_eq!(kernel_lines(&blind), ["train small-cnn b128: this adapter has no timestamps to tell its kernels' times by"]);
    }

    #[test]
    fn a_tenth_of_the_rows_is_named_as_the_furthest_from_the_peak() {
        let kernels = (0..20).map(|i| timing(&format!("row {i}"), f64::from(i) / 20.0)).collect();
        let peak = Peak { gflops: 1.0, gb_per_s: 1.0, launch_us: 1.0, record_us: 1.0, encode_us: 1.0, batched_us: 1.0 };
        let report = Report { device: String::new(), version: String::new(), peak, kernels, training: vec![], skipped: vec![] };
        assert_eq!(slowest(&report), ["furthest from the device's peak:", "    0.0 %  row 0", "    5.0 %  row 1"]);
    }
}
