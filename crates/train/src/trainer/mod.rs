//! A training run from its first step to its last, or on from where it stopped.

mod clock;
mod memory;
mod progress;
mod session;

pub use clock::Clock;
pub use progress::{Progress, Tally};

use crate::config::{Config, DeviceKind, OptimizerKind, ScheduleKind, Settings};
use crate::console::Console;
use crate::data::{self, Dataset};
use crate::error::{Error, Result};
use crate::model::{self, Description};
use crate::run_folder::{Metrics, RunFolder};
use gpu_core::Device;
use nn::optim::{Rule, RuleOptimizer};
use nn::schedule::{Anneal, Schedule};
use nn::{Adagrad, Adam, AdamW, Lion, Muon, Net, Optimizer, Parameters, RmsProp, Sgd};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// What a run came to.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Share of the test images that were recognised; none if none was measured on, or the network tells no classes.
    pub test_accuracy: Option<f64>,
    /// Mean loss over the test images.
    pub test_loss: Option<f64>,
    /// Mean loss over the last epoch, as far as it went.
    pub train_loss: f64,
    /// Share of the training images recognised over the last epoch, with augmentation and dropout in force.
    pub train_accuracy: Option<f64>,
    /// Training alone, after the first step.
    pub images_per_s: Option<f64>,
    /// From the start of the command to the end of the first step.
    pub first_step_s: Option<f64>,
    /// Of training alone, after the first step: what it waited for the images of its batches, their upload included.
    pub stall_s: f64,
    /// From the start of the command to its end.
    pub elapsed_s: f64,
    /// Steps done in all.
    pub steps: u64,
    /// Epochs done in all.
    pub epochs: u64,
    /// The device's name.
    pub device: String,
    /// The model's name.
    pub model: String,
    /// The data set.
    pub data: String,
    /// The seed.
    pub seed: u64,
    /// The folder of the run.
    pub run: PathBuf,
    /// The most bytes that the device held at a time.
    pub peak_bytes: u64,
    /// Whether Ctrl-C ended it.
    pub interrupted: bool,
}

/// Opens a device by its kind, and says so on the console where `auto` found no GPU.
///
/// # Errors
/// If there is none such.
pub fn open_device(kind: DeviceKind, console: &Console) -> Result<Device> {
    let device = Device::named(kind.name())?;
    if kind == DeviceKind::Auto && !device.is_gpu() {
        let software = if gpu_core::adapters().is_empty() { "" } else { " (--device gpu would take a software driver)" };
        console.note(&format!("No hardware GPU was found: using the CPU device{software}."));
    }
    Ok(device)
}

/// What a run is begun with.
#[derive(Debug)]
pub struct Order<'a> {
    /// The settings that were given.
    pub settings: Settings,
    /// The folder of a run to go on with.
    pub resume: Option<PathBuf>,
    /// Set from outside to end the run after the step under way.
    pub stop: &'a AtomicBool,
    /// When the command was started.
    pub began: Instant,
}

/// Trains, and leaves a run's folder behind.
///
/// # Errors
/// Bad settings, data, checkpoints or devices, before anything is written; a loss that is not finite; a checkpoint that cannot be
/// written.
pub fn train(order: Order<'_>, console: &mut Console) -> Result<Outcome> {
    match &order.resume {
        None => begin(order, console),
        Some(path) => {
            let path = path.clone();
            go_on(&path, order, console)
        }
    }
}

fn begin(order: Order<'_>, console: &mut Console) -> Result<Outcome> {
    let mut config = order.settings.clone().resolve()?;
    // Before a data set is opened, which may take a while.
    model::expect_known(&config.model)?;
    let data = data::open(&config.data)?;
    config.settle(&data);
    let description = Description::new(&config.model, &data)?;
    let device = open_device(config.device, console)?;
    let net = description.build(&device, config.seed)?;
    prepare(&net, &config, &description, &data, console)?;
    let optimizer = optimizer(&config, &net);
    let steps_per_epoch = (data.train.len() / config.batch_size) as u64;
    let progress = Progress::new(config.seed, steps_per_epoch);
    // Captured before the folder is made: a plan that does not fit leaves nothing behind.
    let session = session::Session::new(&config, &data, &description, net, optimizer, progress, order.began)?;
    let stem = format!("{}-{}", label(&data.name), label(&config.model));
    let folder = RunFolder::create(&config.out, config.name.as_deref(), &stem)?;
    folder.write_config(&config)?;
    let log = Metrics::create(&folder.metrics())?;
    session.run(folder, log, order.stop, console)
}

/// The weights that are not drawn: those that follow from the images, and those of a file.
fn prepare(net: &Net, config: &Config, description: &Description, data: &Dataset, console: &Console) -> Result<()> {
    description.prepare(net, data);
    let Some(path) = &config.weights else { return Ok(()) };
    let skipped = model::load_weights(net, &config.model, path, config.lenient)?;
    if !skipped.is_empty() {
        console.note(&format!("{}: passed over{}", path.display(), skipped.lists()));
    }
    Ok(())
}

fn go_on(path: &Path, order: Order<'_>, console: &mut Console) -> Result<Outcome> {
    let Settings { epochs, device, max_steps, .. } = order.settings.clone();
    let allowed = ["--epochs", "--device", "--max-steps"];
    if let Some(flag) = order.settings.given().iter().find(|flag| !allowed.contains(&flag.as_str())) {
        return Error::setting(format!(
            "--resume goes on with the run's own settings; {flag} cannot change (only --epochs, --device and --max-steps can)"
        ));
    }
    let folder = RunFolder::open(path)?;
    let mut config = folder.read_config()?;
    config.epochs = epochs.unwrap_or(config.epochs);
    config.device = device.unwrap_or(config.device);
    config.max_steps = max_steps;
    let data = data::open(&config.data)?;
    config.settle(&data);
    let description = Description::new(&config.model, &data)?;
    let device = open_device(config.device, console)?;
    let last = folder.last();
    let checkpoint = model::read_checkpoint(&last)?;
    let progress = Progress::of(&checkpoint, &last)?;
    if model::description_of(&checkpoint, &last)?.spec != description.spec {
        return Err(Error::content(
            &last,
            format!("this checkpoint is of another model than the run's config.toml says ({})", config.model),
        ));
    }
    if progress.steps_per_epoch != (data.train.len() / config.batch_size) as u64 || progress.seed != config.seed {
        return Err(Error::content(&last, "the data set, the batch size or the seed is not what this run began with"));
    }
    let end = config.epochs * progress.steps_per_epoch;
    let until = max_steps.map_or(end, |m| m.min(end));
    if progress.step >= until {
        let Progress { step, epoch, .. } = progress;
        return Err(Error::content(
            path,
            format!("this run has done {epoch} epochs ({step} steps) already; give a larger --epochs or --max-steps"),
        ));
    }
    let net = description.build(&device, config.seed)?;
    checkpoint.load_net(&net).map_err(|e| model::about(&last, e))?;
    let optimizer = optimizer(&config, &net);
    checkpoint.load_optimizer(&*optimizer).map_err(|e| model::about(&last, e))?;
    let step = progress.step;
    let session = session::Session::new(&config, &data, &description, net, optimizer, progress, order.began)?;
    folder.write_config(&config)?;
    let log = Metrics::resume(&folder.metrics(), step)?;
    console.say(&format!("Going on after step {step} of {end}."));
    session.run(folder, log, order.stop, console)
}

fn label(name: &str) -> String {
    let stem = Path::new(name).file_stem().and_then(|s| s.to_str()).unwrap_or("model");
    stem.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

fn optimizer(config: &Config, net: &dyn Parameters) -> Box<dyn Optimizer> {
    let (lr, momentum) = (config.lr as f32, config.momentum as f32);
    match config.optimizer {
        OptimizerKind::Sgd => finished(Sgd::new(net, lr).momentum(momentum), config),
        OptimizerKind::Adam => finished(Adam::new(net, lr), config),
        OptimizerKind::Adamw => finished(AdamW::new(net, lr), config),
        OptimizerKind::Rmsprop => finished(RmsProp::new(net, lr).momentum(momentum), config),
        OptimizerKind::Adagrad => finished(Adagrad::new(net, lr), config),
        OptimizerKind::Lion => finished(Lion::new(net, lr), config),
        OptimizerKind::Muon => finished(Muon::new(net, lr).momentum(momentum), config),
    }
}

/// With what is set alike for all.
fn finished<R: Rule>(mut optimizer: RuleOptimizer<R>, config: &Config) -> Box<dyn Optimizer> {
    optimizer = optimizer.weight_decay(config.weight_decay as f32);
    if let Some(norm) = config.clip_norm {
        optimizer = optimizer.clip_norm(norm as f32);
    }
    if let Some(decay) = config.ema {
        optimizer = optimizer.ema(decay as f32);
    }
    Box::new(optimizer)
}

/// The schedule over `total` steps.
fn schedule(config: &Config, total: u64) -> Schedule {
    let total = total as usize;
    let main = match config.schedule {
        // The plateau's rate is the base rate: see the session.
        ScheduleKind::Constant | ScheduleKind::Plateau => Schedule::Constant,
        ScheduleKind::Step => Schedule::Step { size: total.div_ceil(3), gamma: 0.1 },
        ScheduleKind::MultiStep => Schedule::MultiStep { milestones: vec![total / 2, total * 3 / 4], gamma: 0.1 },
        ScheduleKind::Exponential => Schedule::Exponential { gamma: 0.01f32.powf(1.0 / total.max(1) as f32) },
        ScheduleKind::Linear => Schedule::Polynomial { total, power: 1.0 },
        ScheduleKind::Polynomial => Schedule::Polynomial { total, power: 2.0 },
        ScheduleKind::Cosine => Schedule::Cosine { total, min: 0.0 },
        ScheduleKind::CosineRestarts => Schedule::CosineRestarts { first: total.div_ceil(7), mult: 2, min: 0.0 },
        // A gentle start, so that devices can be compared: on an untrained network a difference in one last bit grows to 5e-3 of the
        // loss within 30 steps where the rate begins at a 25th of its peak (PyTorch's default), to 5e-5 where at a thousandth.
        ScheduleKind::OneCycle => Schedule::OneCycle {
            total,
            pct_start: 0.3,
            div_factor: 1000.0,
            final_div_factor: 1e4,
            anneal: Anneal::Cosine,
            three_phase: false,
        },
    };
    match config.warmup as usize {
        0 => main,
        steps => Schedule::Warmup { steps, start_factor: 0.0, then: Box::new(main) },
    }
}
