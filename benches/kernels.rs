//! Times of the operators' table and of training steps, on every device: `cargo bench`, which is `wgrad bench` on each.
//!
//! `cargo bench -- conv` runs the rows whose names contain `conv`. Without `--bench` (as `cargo test` calls it) a few rows run once: that
//! every kernel has one that can be recorded is a law of the proof.

use std::time::Duration;
use train::bench::{self, Plan, Report, Timing};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let timed = args.iter().any(|a| a == "--bench");
    let filter = args.into_iter().find(|a| !a.starts_with('-'));
    let filter = filter.unwrap_or_else(|| if timed { String::new() } else { "softmax".to_owned() });
    let (seconds, runs, longest) = if timed { (1, 5, 250) } else { (0, 0, 10) };
    let plan = Plan { drawn: None, filter, budget: Duration::from_secs(seconds), runs, longest: Duration::from_millis(longest) };
    for device in proof::devices() {
        println!("{}", device.name());
        let seen = &mut |row: &Timing| {
            println!("{:<48} {:>10.3} ms {:>8.1} GFLOP/s {:>8.2} GB/s", row.name, row.median_ms, row.gflops, row.gb_per_s);
        };
        let report: train::Result<Report> =
            if timed { bench::run(&device, &plan, seen) } else { bench::operators(&device, &plan, seen) };
        for row in report.expect("the device works").training {
            println!("{:<48} {:>10.3} ms {:>8.2} images/s", row.name, row.step_ms, row.images_per_s);
        }
    }
}
