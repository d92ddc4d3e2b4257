//! What a run is begun or continued with.

use super::fine_tuning;
use super::learner::Learner;
use super::optimizer::optimizer;
use super::progress::{Progress, expect_countable};
use super::run::{Run, described};
use super::sharing;
use crate::console::{Console, counted};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::model::{self, Description, Weights};
use crate::peers::Peers;
use crate::run_folder::{LAST, MetricsLog, RunFolder};
use crate::settings::{Config, DeviceKind, Settings};
use gpu_core::Device;
use nn::Net;
use nn::checkpoint::Checkpoint;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// What a run is asked for.
#[derive(Debug)]
pub struct Order<'a> {
    /// The settings that were given.
    pub settings: Settings,
    /// The folder of a run to continue.
    pub resume: Option<PathBuf>,
    /// Images to train on, whose validation images, if any, are its own; without them, the set that the settings name. A run that is
    /// continued wants the same ones again.
    pub data: Option<Dataset>,
    /// An open device to train on; without one, that of the settings.
    pub device: Option<Device>,
    /// Those that compute the run together: this is one of them. The first writes its folder and says how it goes.
    pub peers: Peers,
    /// Set from outside to end the run after the step under way.
    pub stop: &'a AtomicBool,
    /// When the command was started.
    pub began: Instant,
}

/// Opens a device by its kind, and says so on the console where `auto` found no GPU.
///
/// # Errors
/// If there is no such device.
pub fn open_device(kind: DeviceKind, console: &Console) -> Result<Device> {
    let device = Device::named(&kind.to_string())?;
    if kind == DeviceKind::Auto && !device.is_gpu() {
        let software = if gpu_core::adapters().is_empty() { "" } else { " (--device gpu would take a software driver)" };
        console.note(&format!("No hardware GPU was found: using the CPU device{software}."));
    }
    Ok(device)
}

/// The images that a run was given, or those that its settings name.
fn data_of(config: &mut Config, given: Option<Dataset>, console: &Console) -> Result<Dataset> {
    let Some(mut data) = given else { return config.open_data(console) };
    config.data.clone_from(&data.name);
    config.settle(&mut data)?;
    Ok(data)
}

/// The settings of a run on its data.
pub(super) fn opened(settings: &Settings, given: Option<Dataset>, console: &Console) -> Result<(Config, Dataset)> {
    let mut config = settings.clone().resolve()?;
    // Before a data set is opened, which may take a while.
    model::expect_known(&config.model)?;
    RunFolder::expect_free(&config.out, config.name.as_deref())?;
    let data = data_of(&mut config, given, console)?;
    config.suit_few_pictures(settings, &data);
    Ok((config, data))
}

/// The settings that a run of these has, without the run: the data set is opened, for some depend on it.
///
/// # Errors
/// Settings, a model or data that no run can have.
pub fn resolved(settings: &Settings, console: &Console) -> Result<Config> {
    Ok(opened(settings, None, console)?.0)
}

/// What a run of some settings is before its first step, without a folder.
pub(super) struct Ready {
    pub config: Config,
    pub data: Dataset,
    pub description: Description,
    pub learner: Learner,
    pub progress: Progress,
}

/// The network of a run that begins, with its captured step.
pub(super) fn ready(config: Config, data: Dataset, device: Option<Device>, peers: &Peers, console: &Console) -> Result<Ready> {
    let description = Description::new(&config.model, &data)?;
    let device = device.map_or_else(|| open_device(config.device, console), Ok)?;
    let net = network(&config, &data, &description, &device)?;
    description.prepare(&net, &data)?;
    if let Some(path) = &config.weights {
        let strip_prefix = config.strip_prefix.as_deref();
        let skipped = Weights { path, strip_prefix, lenient: config.lenient == Some(true) }.load(&net, &config.model)?;
        if !skipped.is_empty() {
            console.note(&format!("{}: passed over{}", path.display(), skipped.lists()));
        }
    }
    let optimizer = optimizer(&config, &net);
    let progress = Progress::new(&config, steps_per_epoch(&config, &data));
    let learner = Learner::new(&config, &data, &description, net, optimizer, &progress, peers)?;
    Ok(Ready { config, data, description, learner, progress })
}

/// A run in a new folder, before its first step.
pub(super) fn begin(
    settings: Settings,
    data: Option<Dataset>,
    device: Option<Device>,
    peers: &Peers,
    console: &Console,
) -> Result<(Run, MetricsLog)> {
    let opened =
        opened(&settings, data, console).and_then(|(config, data)| Ok((sharing::shared_out(config, &settings, peers)?, data)));
    let (config, data) = peers.agree(opened)?;
    sharing::expect_one_config(&config, peers)?;
    // Captured before the folder is made: a plan that does not fit leaves nothing behind.
    let ready = peers.agree(ready(config, data, device, peers, console))?;
    let Ready { config, data, description, learner, progress } = ready;
    sharing::expect_one_place(learner.optimizer.device(), peers)?;
    let first = described(peers.agree(learner.state())?, &description, &progress);
    let made = peers.is_first().then(|| {
        let folder = RunFolder::create(&config.out, config.name.as_deref(), &stem(&data, &config.model), &config, &first)?;
        let log = told(&config, MetricsLog::create(&folder.metrics())?)?;
        Ok((folder, log))
    });
    let (folder, log) = sharing::of_the_first(made, peers)?;
    Ok((Run::new(config, data, description, learner, progress, folder, peers.clone()), log))
}

/// The run in the folder `path`, before the step at which it stopped.
pub(super) fn resume(
    path: &Path,
    settings: Settings,
    data: Option<Dataset>,
    device: Option<Device>,
    peers: &Peers,
    console: &Console,
) -> Result<(Run, MetricsLog)> {
    peers.agree(settings.check_resume())?;
    let left = sharing::left(path, peers)?;
    let ready = peers.agree(continued(path, settings.over(left.settings), &left.checkpoint, (data, device), peers, console))?;
    let Ready { config, data, description, learner, progress } = ready;
    sharing::expect_one_config(&config, peers)?;
    sharing::expect_one_place(learner.optimizer.device(), peers)?;
    // What all have counted is counted once.
    learner.step.set_sums(if peers.is_first() { progress.pending } else { Default::default() });
    let made = left.folder.map(|folder| {
        folder.write_config(&config)?;
        folder.forget_end()?;
        let log = told(&config, MetricsLog::resume(&folder.metrics(), progress.step, &progress.changes_by_hand())?)?;
        Ok((folder, log))
    });
    let (folder, log) = sharing::of_the_first(made, peers)?;
    console.say(&format!("Continuing after step {} of {}.", progress.step, progress.end(&config)));
    Ok((Run::new(config, data, description, learner, progress, folder, peers.clone()), log))
}

/// The network of a run that goes on from `checkpoint`, with its captured step.
fn continued(
    path: &Path,
    settings: Settings,
    checkpoint: &Checkpoint,
    (data, device): (Option<Dataset>, Option<Device>),
    peers: &Peers,
    console: &Console,
) -> Result<Ready> {
    let mut config = settings.resolve()?;
    peers.share(config.accumulate)?;
    if data.is_none() && config.is_of_a_program() {
        return Err(Error::content(
            path,
            format!(
                "this run learned from images that a program had (\"{}\"): the program that began it goes on with it, as with \
                 wgrad.train(images, labels, resume=...) in Python",
                config.data
            ),
        ));
    }
    let mut data = data_of(&mut config, data, console)?;
    let device = device.map_or_else(|| open_device(config.device, console), Ok)?;
    let last = path.join(LAST);
    let progress = Progress::of(checkpoint, &last)?;
    let description = model::description_of(checkpoint, &last)?;
    model::expect_finite(checkpoint, &last)?;
    if Description::new(&config.model, &data)?.spec != description.spec {
        return Err(Error::content(
            &last,
            format!("this checkpoint is of another model than the run's config.toml says ({})", config.model),
        ));
    }
    if progress.steps_per_epoch != steps_per_epoch(&config, &data) || progress.seed != config.seed {
        return Err(Error::content(&last, "the data set, the batch size or the seed is not what this run began with"));
    }
    // As the run has normalised them until now.
    data.mean.clone_from(&description.mean);
    data.std.clone_from(&description.std);
    let Progress { step, epoch, .. } = progress;
    if step >= progress.until(&config) {
        return Err(Error::content(
            path,
            format!(
                "this run has done {} ({}) already; give a larger --epochs or --max-steps",
                counted(epoch, "epoch"),
                counted(step, "step")
            ),
        ));
    }
    if progress.lost_patience(&config) {
        return Err(Error::content(
            path,
            format!(
                "this run ended early: none of {epoch} epochs was better than epoch {}; give a larger --patience",
                progress.best_epoch.unwrap_or(0)
            ),
        ));
    }
    let net = network(&config, &data, &description, &device)?;
    checkpoint.load_net(&net).map_err(|e| model::about(&last, e))?;
    let optimizer = optimizer(&config, &net);
    checkpoint.load_optimizer(&*optimizer).map_err(|e| model::about(&last, e))?;
    progress.expect_steps_of(&*optimizer, &last)?;
    let learner = Learner::new(&config, &data, &description, net, optimizer, &progress, peers)?;
    Ok(Ready { config, data, description, learner, progress })
}

/// How far the run in a folder is.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Epochs done in all.
    pub epochs: u64,
    /// The best score of an epoch, over the images that it is chosen by: the accuracy, the mean IoU of a network that tells the classes of
    /// pixels, or else the negative loss.
    pub best: Option<f64>,
    /// Whether it tells classes.
    pub is_classifier: bool,
    /// Whether it tells the classes of pixels.
    pub tells_pixels: bool,
    /// Whether nothing is left to do, where `max_steps` is the most.
    pub is_over: bool,
}

/// How far the run in the folder `path` is, by its files alone; of a command that did `max_steps` at most, if that is given.
///
/// # Errors
/// If it is not the folder of a run, or another process is at work on it.
pub fn standing(path: &Path, max_steps: Option<u64>) -> Result<Standing> {
    let folder = RunFolder::open(path)?;
    let config = Settings { max_steps, ..folder.read_settings()? }.resolve()?;
    let last = folder.last();
    let checkpoint = model::read_checkpoint(&last)?;
    let progress = Progress::of(&checkpoint, &last)?;
    let description = model::description_of(&checkpoint, &last)?;
    Ok(Standing {
        epochs: progress.epoch,
        best: progress.best,
        is_classifier: description.is_classifier(),
        tells_pixels: description.tells_pixels(),
        is_over: progress.is_over(&config),
    })
}

/// The log, told to TensorBoard too where that is wanted.
fn told(config: &Config, log: MetricsLog) -> Result<MetricsLog> {
    if config.tensorboard == Some(true) { log.with_events() } else { Ok(log) }
}

/// The network with fresh weights, once it is known that it can be trained by these settings and on this device.
fn network(config: &Config, data: &Dataset, description: &Description, device: &Device) -> Result<Net> {
    expect_countable(config, steps_per_epoch(config, data))?;
    let (parameters, model) = (description.parameters()?, &description.model);
    // Their values as they are drawn and where they are kept, the gradients, and what the optimiser keeps.
    let (needed, free) = (parameters.saturating_mul(16), device.available_bytes());
    if needed > free {
        let fits = free / 16;
        return Error::setting(format!(
            "the model \"{model}\": {parameters} parameters take {needed} bytes, {free} are free; at most {fits} parameters fit"
        ));
    }
    let net = description.build(device, config.seed)?;
    fine_tuning::prepare(config, &net)?;
    Ok(net)
}

fn steps_per_epoch(config: &Config, data: &Dataset) -> u64 {
    (data.train.len() / config.batch_size) as u64
}

/// What the folder of a run is called, before its number.
pub(super) fn stem(data: &Dataset, model: &str) -> String {
    format!("{}-{}", label(&data.name), label(model))
}

/// A name or a file's stem as a part of a folder's name.
fn label(name: &str) -> String {
    let stem = Path::new(name).file_stem().and_then(|s| s.to_str()).unwrap_or("model");
    stem.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}
