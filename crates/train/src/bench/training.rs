//! Whole steps: images a second, and where the time of a step goes.

use super::repeat::{Plan, median, median_after_first, repeat};
use crate::error::{Error, Result};
use gpu_core::{Device, Shape};
use nn::optim::USUAL_LOSS_SCALE;
use nn::{EvalStep, Init, Precision, Sgd, StepOptions, TrainStep, zoo};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Instant;

/// The time of a network's step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Train or eval, the model, the batch, and the precision where it is another than f32.
    pub name: String,
    /// Images a second, of the median step.
    pub images_per_s: f64,
    /// Median of a whole step, the wait for it included.
    pub step_ms: f64,
    /// The part of it until the work is handed over: the batch's upload and the encoding.
    pub host_ms: f64,
    /// Reading the loss back when all work is done.
    pub read_ms: f64,
    /// From nothing to the end of the first step: making the network, recording, compiling, running.
    pub first_step_s: f64,
    /// Kernels of a step.
    pub launches: usize,
    /// Memory of the device with the step on it.
    pub peak_bytes: u64,
    /// Where the time of a step goes, the longest first; none where a GPU's adapter has no timestamps.
    #[serde(default)]
    pub kernels: Option<Vec<KernelTime>>,
}

/// All launches of one kernel in a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KernelTime {
    /// The kernel.
    pub name: String,
    /// How often it is launched.
    pub launches: usize,
    /// Median over a few steps, each launch timed by itself.
    pub ms: f64,
    /// Its part of the sum over all kernels, 0 to 1.
    pub share: f64,
}

/// A step that can be timed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Subject {
    /// A network of the zoo, for ten classes of 3x32x32.
    pub model: &'static str,
    /// Whether it is trained, or evaluated.
    pub trains: bool,
    /// Images of a step.
    pub batch: usize,
    /// What the factors of its products are rounded to.
    pub precision: Precision,
}

const SUBJECTS: [Subject; 10] = [
    Subject::training("small-cnn", 64),
    Subject::training("small-cnn", 128),
    Subject::training("small-cnn", 128).mixed(),
    Subject::training("resnet20", 64),
    Subject::training("resnet20", 64).mixed(),
    Subject::training("mobilenet", 64),
    Subject::training("airbench", 500),
    Subject::training("airbench", 500).mixed(),
    Subject::evaluation("small-cnn", 128),
    Subject::evaluation("resnet20", 128),
];

impl Subject {
    /// A training step in f32.
    pub const fn training(model: &'static str, batch: usize) -> Self {
        Self { model, trains: true, batch, precision: Precision::F32 }
    }

    /// An evaluation in f32.
    pub const fn evaluation(model: &'static str, batch: usize) -> Self {
        Self { trains: false, ..Self::training(model, batch) }
    }

    /// The same in mixed precision.
    pub const fn mixed(self) -> Self {
        Self { precision: Precision::Mixed, ..self }
    }

    fn name(self) -> String {
        let Self { model, trains, batch, precision } = self;
        let mixed = if precision == Precision::Mixed { " mixed" } else { "" };
        format!("{} {model} b{batch}{mixed}", if trains { "train" } else { "eval" })
    }

    /// Floating-point operations of its products, about: each of the two gradients of a layer takes as many as the layer.
    fn flops(self) -> Result<u64> {
        let net = zoo::spec(self.model, Shape::from([3, 32, 32]), 10).map_err(|e| self.wrong(e))?;
        let image = net.summary().map_err(|e| self.wrong(e))?.multiply_adds;
        Ok(2 * image * self.batch as u64 * if self.trains { 3 } else { 1 })
    }

    fn wrong(self, error: nn::SpecError) -> Error {
        Error::Setting(format!("the model \"{}\": {error}", self.model))
    }
}

/// The steps that `plan` has: beside drawn layers there are none.
fn wanted(plan: &Plan) -> impl Iterator<Item = Subject> {
    SUBJECTS.into_iter().filter(|subject| plan.drawn.is_none() && subject.name().contains(&plan.filter))
}

/// How many times as long as an operator a step may take.
const LONGER: f64 = 8.0;

/// The rows of `plan`, and the names of those that take too long on a device of this peak.
pub(super) fn rows(device: &Device, plan: &Plan, gflops: f64) -> Result<(Vec<Training>, Vec<String>)> {
    let (mut rows, mut skipped) = (Vec::new(), Vec::new());
    for subject in wanted(plan) {
        if subject.flops()? as f64 / (1e9 * gflops) > LONGER * plan.longest.as_secs_f64() {
            skipped.push(subject.name());
        } else {
            rows.push(training(device, plan, subject)?);
        }
    }
    Ok((rows, skipped))
}

pub(super) fn has_rows(plan: &Plan) -> bool {
    wanted(plan).next().is_some()
}

/// A recorded step of either kind.
enum Step {
    Train(TrainStep),
    Eval(EvalStep),
}

impl Step {
    fn run_on(&self, x: &[f32], labels: &[u32]) -> Result<()> {
        match self {
            Self::Train(step) => step.run_on(x, labels)?,
            Self::Eval(step) => step.run_on(x, labels)?,
        }
        Ok(())
    }
    fn profile(&self) -> Result<Option<Vec<(&'static str, f64)>>> {
        Ok(match self {
            Self::Train(step) => step.profile()?,
            Self::Eval(step) => step.profile()?,
        })
    }
    fn loss(&self) -> Result<f32> {
        Ok(match self {
            Self::Train(step) => step.loss()?,
            Self::Eval(step) => step.loss()?,
        })
    }
}

/// Steps whose kernels are timed one by one.
const PROFILED: usize = 5;

/// Where the time of a step goes.
fn kernels(step: &Step) -> Result<Option<Vec<KernelTime>>> {
    let mut times: BTreeMap<&'static str, (usize, Vec<f64>)> = BTreeMap::new();
    for _ in 0..PROFILED {
        let Some(launches) = step.profile()? else { return Ok(None) };
        let mut sums: BTreeMap<&'static str, (usize, f64)> = BTreeMap::new();
        for (name, seconds) in launches {
            let sum = sums.entry(name).or_default();
            *sum = (sum.0 + 1, sum.1 + seconds);
        }
        for (name, (launches, seconds)) in sums {
            let row = times.entry(name).or_default();
            row.0 = launches;
            row.1.push(seconds);
        }
    }
    let row = |(name, (launches, times)): (&'static str, (usize, Vec<f64>))| KernelTime {
        name: name.to_owned(),
        launches,
        ms: 1e3 * median(times),
        share: 0.0,
    };
    let mut rows: Vec<KernelTime> = times.into_iter().map(row).collect();
    let all: f64 = rows.iter().map(|row| row.ms).sum();
    rows.iter_mut().for_each(|row| row.share = row.ms / all.max(f64::MIN_POSITIVE));
    rows.sort_by(|a, b| b.ms.total_cmp(&a.ms));
    Ok(Some(rows))
}

/// Times a step on random images, with momentum and weight decay where it trains.
///
/// # Errors
/// If there is no such model, the step does not fit, or the device fails.
pub fn training(device: &Device, plan: &Plan, subject: Subject) -> Result<Training> {
    let Subject { model, batch, precision, .. } = subject;
    let x = proof::values(batch * 3072, 1);
    let labels: Vec<u32> = (0..batch as u32).map(|i| i % 10).collect();
    let began = Instant::now();
    let cx = Init::seeded(device, 0);
    let net = zoo::build(model, &cx, Shape::from([3, 32, 32]), 10).map_err(|e| subject.wrong(e))?;
    let options = StepOptions::new(batch, [3, 32, 32]).precision(precision);
    let (step, launches, peak_bytes) = if subject.trains {
        let mut sgd = Sgd::new(&net, 0.01).momentum(0.9).weight_decay(5e-4);
        if precision == Precision::Mixed {
            let (initial, growth_interval) = USUAL_LOSS_SCALE;
            sgd = sgd.loss_scaling(initial, growth_interval);
        }
        let step = TrainStep::captured(&net, &sgd, &options)?;
        let (launches, bytes) = (step.dispatches(), step.plan().peak_bytes);
        (Step::Train(step), launches, bytes)
    } else {
        let step = EvalStep::captured(&net, device, &options)?;
        let (launches, bytes) = (step.dispatches(), step.plan().peak_bytes);
        (Step::Eval(step), launches, bytes)
    };
    step.run_on(&x, &labels)?;
    device.synchronize()?;
    let first_step_s = began.elapsed().as_secs_f64();
    let (mut host, mut read) = (Vec::new(), Vec::new());
    let runs = repeat(plan, || {
        let start = Instant::now();
        step.run_on(&x, &labels)?;
        host.push(start.elapsed().as_secs_f64());
        device.synchronize()?;
        let whole = start.elapsed().as_secs_f64();
        step.loss()?;
        read.push(start.elapsed().as_secs_f64() - whole);
        Ok(whole)
    })?;
    Ok(Training {
        name: subject.name(),
        images_per_s: batch as f64 / runs.median,
        step_ms: runs.median * 1e3,
        host_ms: 1e3 * median_after_first(&host),
        read_ms: 1e3 * median_after_first(&read),
        first_step_s,
        launches,
        peak_bytes,
        kernels: kernels(&step)?,
    })
}
