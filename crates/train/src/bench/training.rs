//! Whole steps: images a second, and where the time of a step goes.

use super::{Plan, repeat};
use crate::error::{Error, Result};
use gpu_core::{Device, Shape, check};
use nn::{EvalStep, Init, Sgd, StepOptions, TrainStep, zoo};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// The time of a network's step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Train or eval, the model, and the batch.
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
}

/// What can be timed: the model, whether it is trained, and the batch.
const STEPS: [(&str, bool, usize); 6] = [
    ("small-cnn", true, 64),
    ("small-cnn", true, 128),
    ("resnet20", true, 64),
    ("mobilenet", true, 64),
    ("small-cnn", false, 128),
    ("resnet20", false, 128),
];

pub(super) fn rows(device: &Device, plan: &Plan) -> Result<Vec<Training>> {
    let wanted = STEPS.iter().filter(|(model, trains, batch)| name(model, *trains, *batch).contains(&plan.filter));
    wanted.map(|&(model, trains, batch)| training(device, plan, model, trains, batch)).collect()
}

fn name(model: &str, trains: bool, batch: usize) -> String {
    format!("{} {model} b{batch}", if trains { "train" } else { "eval" })
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
    fn loss(&self) -> Result<f32> {
        Ok(match self {
            Self::Train(step) => step.loss()?,
            Self::Eval(step) => step.loss()?,
        })
    }
}

/// Times a step of `model` on random images of 3x32x32 in ten classes, with momentum and weight decay where it trains.
///
/// # Errors
/// If there is no such model, the step does not fit, or the device fails.
pub fn training(device: &Device, plan: &Plan, model: &str, trains: bool, batch: usize) -> Result<Training> {
    let x = check::values(batch * 3072, 1);
    let labels: Vec<u32> = (0..batch as u32).map(|i| i % 10).collect();
    let began = Instant::now();
    let cx = Init::seeded(device, 0);
    let wrong = |e: nn::SpecError| Error::Setting(format!("the model \"{model}\": {e}"));
    let net = zoo::build(model, &cx, Shape::from([3, 32, 32]), 10).map_err(wrong)?;
    let options = StepOptions::new(batch, [3, 32, 32]);
    let (step, launches, peak_bytes) = if trains {
        let sgd = Sgd::new(&net, 0.01).momentum(0.9).weight_decay(5e-4);
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
    let median = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2] * 1e3
    };
    Ok(Training {
        name: name(model, trains, batch),
        images_per_s: batch as f64 / runs.median,
        step_ms: runs.median * 1e3,
        host_ms: median(host),
        read_ms: median(read),
        first_step_s,
        launches,
        peak_bytes,
    })
}
