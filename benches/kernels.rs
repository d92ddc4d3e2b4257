//! Median times of the operators' table and of training steps, on every device: `cargo bench`.
//!
//! `cargo bench -- conv` runs the rows whose names contain `conv`. Without `--bench` (as `cargo test` calls it) every row runs once.
//! A row's work is recorded once and replayed: the time is that of the kernels, not of preparing them.

use gpu_core::check::Bench;
use std::time::{Duration, Instant};
use wgrad::prelude::*;

/// How long a row is repeated for.
const BUDGET: Duration = Duration::from_secs(1);

struct Runner {
    device: Device,
    filter: String,
    once: bool,
}

impl Runner {
    fn wants(&self, name: &str) -> bool {
        name.contains(&self.filter)
    }

    /// The median of repeated runs, and the first of them, in seconds.
    fn time(&self, mut run: impl FnMut()) -> [f64; 2] {
        let mut timed = || {
            let start = Instant::now();
            run();
            self.device.synchronize().expect("the device works");
            start.elapsed().as_secs_f64()
        };
        let first = timed();
        let (start, mut times) = (Instant::now(), Vec::new());
        while !self.once && (times.len() < 5 || start.elapsed() < BUDGET) {
            times.push(timed());
        }
        times.sort_by(f64::total_cmp);
        [times.get(times.len() / 2).copied().unwrap_or(first), first]
    }

    fn operator(&self, bench: &Bench) {
        let name = format!("{} {}", bench.name, bench.what);
        if !self.wants(&name) {
            return;
        }
        let (capture, launches) = bench.capture(&self.device).expect("the device works");
        let [median, first] = self.time(|| capture.replay().expect("the device works"));
        let bytes: u64 = launches.iter().map(|l| l.bytes).sum();
        let rates = format!("{:>8.2} GFLOP/s {:>8.2} GB/s", bench.flops as f64 / median / 1e9, bytes as f64 / median / 1e9);
        println!("{name:<48} {:>10.3} ms {rates}   first {:>7.1} ms", median * 1e3, first * 1e3);
    }

    fn training(&self, model: &str) {
        const BATCH: usize = 64;
        let name = format!("train {model} b{BATCH}");
        if !self.wants(&name) {
            return;
        }
        let cx = Init::seeded(&self.device, 0);
        let net = zoo::build(model, &cx, Shape::from([3, 32, 32]), 10).expect("a model of the zoo");
        let sgd = Sgd::new(&net, 0.01).momentum(0.9).weight_decay(5e-4);
        let step = TrainStep::captured(&net, &sgd, &StepOptions::new(BATCH, [3, 32, 32])).expect("the step fits");
        let labels: Vec<u32> = (0..BATCH as u32).map(|i| i % 10).collect();
        let x = gpu_core::check::values(BATCH * 3072, 1);
        let [median, first] = self.time(|| step.run_on(&x, &labels).expect("the device works"));
        let rate = BATCH as f64 / median;
        println!("{name:<48} {:>10.3} ms {rate:>8.2} images/s   first {:>7.1} ms", median * 1e3, first * 1e3);
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let once = !args.iter().any(|a| a == "--bench");
    let filter = args.into_iter().find(|a| !a.starts_with('-')).unwrap_or_default();
    for device in gpu_core::check::devices() {
        println!("{}", device.name());
        let runner = Runner { device, filter: filter.clone(), once };
        ops::benches().iter().for_each(|bench| runner.operator(bench));
        runner.training("small-cnn");
        runner.training("resnet20");
    }
}
