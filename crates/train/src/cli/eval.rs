//! `wgrad eval`.

use super::{Ending, Json, Which, say, say_json};
use clap::Args;
use serde_json::json;
use std::path::Path;
use std::time::Instant;
use train::config::{BUILTIN, DeviceKind, Settings};
use train::console::Console;
use train::evaluate::Evaluator;
use train::loader::{Source, normalise};
use train::model::Trained;
use train::predict::same_classes;
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
    /// Where to run
    #[arg(long, value_enum, default_value = "auto")]
    device: DeviceKind,
    #[command(flatten)]
    json: Json,
}

pub fn run(flags: &Flags) -> Result<Ending> {
    let console = Console::new(flags.json.json);
    let path = flags.which.file()?;
    let device = trainer::open_device(flags.device, &console)?;
    let trained = Trained::read(&path, &device)?;
    let description = &trained.description;
    trained.expect_model(flags.model.as_deref(), &path)?;
    let spec = match &flags.data {
        Some(spec) => spec.clone(),
        None => data_of_run(&path)?,
    };
    let mut set = data::open(&spec)?;
    description.fits(&set.test, &set.name)?;
    same_classes(description, &set)?;
    // As in training, whatever is the mean of these images.
    set.mean.clone_from(&description.mean);
    set.std.clone_from(&description.std);
    let began = Instant::now();
    let source = Source::new(&device, &set.test);
    let mut evaluator = Evaluator::new(&trained.net, &device, &source, set.test.len(), description.loss(0.0)?, &normalise(&set))?;
    let score = evaluator.score()?.ok_or_else(|| Error::Setting(format!("{} has no test images", set.name)))?;
    let images_per_s = score.images as f64 / began.elapsed().as_secs_f64();
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
            "checkpoint": path,
        }))?;
    } else {
        let accuracy = accuracy.map_or(String::new(), |a| format!("accuracy {:.2} %, ", 100.0 * a));
        say(&format!("{accuracy}loss {:.4} over {} test images", score.loss, score.images))?;
        say(&format!("{} on {} ({}), {images_per_s:.0} images/s", description.model, set.name, device.name()))?;
        say(&format!("checkpoint: {}", path.display()))?;
    }
    Ok(Ending::Done)
}

/// The data set of the run that a checkpoint lies in.
fn data_of_run(checkpoint: &Path) -> Result<String> {
    let config = checkpoint.with_file_name("config.toml");
    if !config.is_file() {
        return Err(Error::Setting("this checkpoint lies in no run's folder: name a data set with --data".into()));
    }
    Ok(Settings::read(&config)?.data.unwrap_or_else(|| BUILTIN.into()))
}
