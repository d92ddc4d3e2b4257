//! Median times of the kernels and of a training step, on every device: `cargo bench`.
//!
//! `cargo bench -- conv` runs the rows whose names contain `conv`. Without `--bench` (as `cargo test` calls it) every row runs once.

use std::time::{Duration, Instant};
use wgrad::prelude::*;

/// How long a row is repeated for.
const BUDGET: Duration = Duration::from_secs(1);

struct Bench {
    device: Device,
    filter: String,
    once: bool,
}

impl Bench {
    /// Prints the median of repeated runs and the work done in it, in `unit` per second.
    fn row(&self, name: &str, work: f64, unit: &str, mut run: impl FnMut()) {
        if !name.contains(&self.filter) {
            return;
        }
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
        let median = times.get(times.len() / 2).copied().unwrap_or(first);
        println!("{name:<32} {:>10.3} ms {:>9.2} {unit}/s   first {:>7.1} ms", median * 1e3, work / median, first * 1e3);
    }

    fn tensor(&self, shape: impl Into<Shape>, seed: u64) -> Tensor {
        gpu_core::check::tensor(&self.device, shape, seed)
    }
}

fn products(b: &Bench) {
    for n in [512usize, 1024] {
        let (x, y) = (b.tensor([n, n], 1), b.tensor([n, n], 2));
        b.row(&format!("matmul {n}"), 2.0 * (n as f64).powi(3) / 1e9, "GFLOP", || drop(ops::matmul(&x, &y)));
    }
}

/// Forward, input gradient and weight gradient of a 3x3 convolution.
fn convolution(b: &Bench, name: &str, [n, c, k, h]: [usize; 4], groups: usize) {
    let g = ops::Conv2dGeometry { padding: [1, 1], groups, ..Default::default() };
    let (x, w, dy) = (b.tensor([n, c, h, h], 1), b.tensor([k, c / groups, 3, 3], 2), b.tensor([n, k, h, h], 3));
    let work = 2.0 * (n * k * h * h * 9 * c / groups) as f64 / 1e9;
    b.row(&format!("{name} fwd"), work, "GFLOP", || drop(ops::conv2d(&x, &w, None, g)));
    b.row(&format!("{name} bwd_x"), work, "GFLOP", || drop(ops::conv2d_bwd_x(&dy, &w, x.shape(), g)));
    b.row(&format!("{name} bwd_w"), work, "GFLOP", || drop(ops::conv2d_bwd_w(&x, &dy, w.shape(), g)));
}

fn memory_bound(b: &Bench) {
    let x = b.tensor([32, 64, 32, 32], 1);
    let bytes = x.bytes() as f64 / 1e9;
    let (ones, zeros) = (Tensor::full(&b.device, [64], 1.0), Tensor::zeros(&b.device, [64]));
    let (mean, var) = (Tensor::zeros(&b.device, [64]), Tensor::full(&b.device, [64], 1.0));
    b.row("batch_norm fwd", 3.0 * bytes, "GB", || drop(ops::batch_norm(&x, &ones, &zeros, &mean, &var, 0.1, 1e-5)));
    let normed = ops::batch_norm(&x, &ones, &zeros, &mean, &var, 0.1, 1e-5);
    b.row("batch_norm bwd", 5.0 * bytes, "GB", || drop(ops::batch_norm_bwd(&x, &x, &ones, &normed.mean, &normed.rstd)));
    b.row("relu", 2.0 * bytes, "GB", || drop(ops::relu(&x)));
    b.row("add", 3.0 * bytes, "GB", || drop(ops::add(&x, &x)));
    let g = ops::Pool2dGeometry::new([2, 2]);
    b.row("max_pool2d 2x2", 1.5 * bytes, "GB", || drop(ops::max_pool2d(&x, g)));
}

fn training(b: &Bench, model: &str) {
    const BATCH: usize = 64;
    let cx = Init::seeded(&b.device, 0);
    let net = zoo::build(model, &cx, Shape::from([3, 32, 32]), 10).expect("a model of the zoo");
    let sgd = Sgd::new(&net, 0.01).momentum(0.9).weight_decay(5e-4);
    let step = TrainStep::captured(&net, &sgd, &StepOptions::new(BATCH, [3, 32, 32])).expect("the step fits");
    let labels: Vec<u32> = (0..BATCH as u32).map(|i| i % 10).collect();
    let x = gpu_core::check::values(BATCH * 3072, 1);
    b.row(&format!("train {model} b{BATCH}"), BATCH as f64, "image", || step.run_on(&x, &labels).expect("the device works"));
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let once = !args.iter().any(|a| a == "--bench");
    let filter = args.into_iter().find(|a| !a.starts_with('-')).unwrap_or_default();
    for device in gpu_core::check::devices() {
        println!("{}", device.name());
        let b = Bench { device, filter: filter.clone(), once };
        products(&b);
        convolution(&b, "conv 32x64>64 32x32", [32, 64, 64, 32], 1);
        convolution(&b, "depthwise 32x64 32x32", [32, 64, 64, 32], 64);
        memory_bound(&b);
        training(&b, "small-cnn");
        training(&b, "resnet20");
    }
}
