//! Times of the operators' table and of training steps, on every device: `cargo bench`, which is `wgrad bench` on each.
//!
//! `cargo bench -- conv` runs the rows whose names contain `conv`. Without `--bench` (as `cargo test` calls it) every row runs once.

use std::time::Duration;
use train::bench::{self, Plan};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (seconds, runs) = if args.iter().any(|a| a == "--bench") { (1, 5) } else { (0, 0) };
    let filter = args.into_iter().find(|a| !a.starts_with('-')).unwrap_or_default();
    let longest = Duration::from_millis(250);
    let plan = Plan { filter, budget: Duration::from_secs(seconds), runs, longest };
    for device in proof::devices() {
        println!("{}", device.name());
        let report = bench::run(&device, &plan, &mut |row| {
            println!("{:<48} {:>10.3} ms {:>8.1} GFLOP/s {:>8.2} GB/s", row.name, row.median_ms, row.gflops, row.gb_per_s);
        });
        for row in report.expect("the device works").training {
            println!("{:<48} {:>10.3} ms {:>8.2} images/s", row.name, row.step_ms, row.images_per_s);
        }
    }
}
