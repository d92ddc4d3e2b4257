//! `wgrad eval`.

use super::answer::{Ending, Json, say, say_json};
use super::checkpoint::Which;
use clap::Args;
use gpu_core::Device;
use nn::checkpoint::expect_writable;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Instant;
use train::console::Console;
use train::data::Dataset;
use train::error::printable_name;
use train::evaluate::Evaluator;
use train::loader::{Source, normalise};
use train::model::{self, Trained, Weights};
use train::per_image::{expect_classes, write_per_image};
use train::predict::same_classes;
use train::settings::{DeviceKind, Settings};
use train::{Error, Result, data, trainer};

#[derive(Args)]
pub struct Flags {
    #[command(flatten)]
    which: Which,
    /// Data set to measure on [default: the run's own]
    #[arg(long, value_name = "builtin|DIR")]
    data: Option<String>,
    /// Refuse a checkpoint of another model than this
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Measure the model of --model with the weights of a PyTorch state dict in this safetensors file: torchvision's names, or positions
    #[arg(long, value_name = "FILE", requires_all = ["model", "data"], conflicts_with = "checkpoint")]
    weights: Option<PathBuf>,
    /// Leave this out where a key of --weights begins with it, such as module.
    #[arg(long, value_name = "PREFIX", requires = "weights")]
    strip_prefix: Option<String>,
    /// Take from --weights what fits, and say what does not
    #[arg(long, requires = "weights")]
    lenient: bool,
    /// Write a row for each test image to this CSV file: its class, the likeliest one, the loss
    #[arg(long, value_name = "FILE")]
    per_image: Option<PathBuf>,
    /// Where to run
    #[arg(long, value_enum, default_value = "auto")]
    device: DeviceKind,
    #[command(flatten)]
    json: Json,
}

pub fn run(flags: &Flags) -> Result<Ending> {
    let console = Console::new(flags.json.json);
    if let Some(path) = &flags.per_image {
        expect_writable(path).map_err(|e| Error::Setting(format!("--per-image {}: {e}", path.display())))?;
    }
    let device = trainer::open_device(flags.device, &console)?;
    let Subject { path, trained, mut set } = match &flags.weights {
        Some(path) => state_dict(flags, path.clone(), &device, &console)?,
        None => checkpoint(flags, &device)?,
    };
    let description = &trained.description;
    description.fits(&set.test, &set.name)?;
    same_classes(description, &set)?;
    if flags.per_image.is_some() {
        expect_classes(description)?;
    }
    // As in training, whatever is the mean of these images.
    set.mean.clone_from(&description.mean);
    set.std.clone_from(&description.std);
    let began = Instant::now();
    let source = Source::new(&device, &set.test);
    let mut evaluator = Evaluator::new(&trained.net, &device, &source, set.test.len(), description.loss(0.0)?, &normalise(&set))?;
    let score = evaluator.score()?.ok_or_else(|| Error::Setting(format!("{} has no test images", set.name)))?;
    let elapsed_s = began.elapsed().as_secs_f64();
    if let Some(path) = &flags.per_image {
        write_per_image(path, &mut evaluator, description, &set)?;
    }
    let images_per_s = score.images as f64 / elapsed_s;
    let accuracy = description.is_classifier().then_some(score.accuracy);
    if flags.json.json {
        say_json(&json!({
            "accuracy": accuracy,
            "loss": score.loss,
            "images": score.images,
            "images_per_s": images_per_s,
            "model": description.model,
            "data": set.name,
            "device": device.name(),
            "checkpoint": path.display().to_string(),
        }))?;
    } else {
        let accuracy = accuracy.map_or(String::new(), |a| format!("accuracy {:.2} %, ", 100.0 * a));
        say(&format!("{accuracy}loss {:.4} over {} test images", score.loss, score.images))?;
        let model = printable_name(&description.model);
        say(&format!("{model} on {} ({}), {images_per_s:.0} images/s", set.name, device.name()))?;
        say(&format!("checkpoint: {}", path.display()))?;
    }
    Ok(Ending::Done)
}

/// What is measured, and on what.
struct Subject {
    path: PathBuf,
    trained: Trained,
    set: Dataset,
}

fn checkpoint(flags: &Flags, device: &Device) -> Result<Subject> {
    let path = flags.which.file()?;
    let trained = Trained::read(&path, device)?;
    trained.expect_model(flags.model.as_deref(), &path)?;
    let set = match &flags.data {
        Some(spec) => data::open(spec)?,
        None => data::open(&data_of_run(&path)?)?,
    };
    Ok(Subject { path, trained, set })
}

fn state_dict(flags: &Flags, path: PathBuf, device: &Device, console: &Console) -> Result<Subject> {
    let (Some(model), Some(data)) = (&flags.model, &flags.data) else {
        return Err(Error::Setting("--weights needs --model and --data".into()));
    };
    model::expect_known(model)?;
    let set = data::open(data)?;
    let weights = Weights { path: &path, strip_prefix: flags.strip_prefix.as_deref(), lenient: flags.lenient };
    let (trained, skipped) = Trained::with_weights(model, weights, &set, device)?;
    if !skipped.is_empty() {
        console.note(&format!("{}: passed over{}", path.display(), skipped.lists()));
    }
    Ok(Subject { path, trained, set })
}

/// The data set of the run that a checkpoint lies in.
fn data_of_run(checkpoint: &Path) -> Result<String> {
    let config = checkpoint.with_file_name("config.toml");
    if !config.is_file() {
        return Err(Error::Setting("this checkpoint lies in no run's folder: name a data set with --data".into()));
    }
    Ok(Settings::read(&config)?.resolve()?.data)
}
