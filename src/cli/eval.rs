//! `wgrad eval`.

use super::answer::{Ending, Json, say, say_json};
use super::checkpoint::Which;
use super::columns::cut;
use clap::Args;
use gpu_core::Device;
use serde_json::json;
use std::path::{Path, PathBuf, absolute};
use std::time::Instant;
use train::console::Console;
use train::data::{Dataset, Opened, Split};
use train::error::printable_name;
use train::evaluate::Evaluator;
use train::loader::{Source, Treatment};
use train::model::{self, Description, Trained, Weights};
use train::per_image::{expect_classes, write_per_image};
use train::predict::same_classes;
use train::run_folder::read_settings;
use train::segmentation::by_class;
use train::settings::{DeviceKind, Settings};
use train::tta::Tta;
use train::{Error, Result, expect_place, trainer};

#[derive(Args)]
pub struct Flags {
    #[command(flatten)]
    which: Which,
    /// Data set to measure on [default: the run's own]
    #[arg(long, value_name = "builtin|DIR|FILE")]
    data: Option<String>,
    /// Refuse a checkpoint of another model than this
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Measure the model of --model with the weights of a PyTorch state dict in this file (.pth or .safetensors): torchvision's names, or positions
    #[arg(long, value_name = "FILE", requires_all = ["model", "data"], conflicts_with = "checkpoint")]
    weights: Option<PathBuf>,
    /// Leave this out where a key of --weights begins with it, such as module.
    #[arg(long, value_name = "PREFIX", requires = "weights")]
    strip_prefix: Option<String>,
    /// Take from --weights what fits, and say what does not
    #[arg(long, requires = "weights")]
    lenient: bool,
    /// Images to measure on: the test images, those that the run held out for validation, or those that it learned from
    #[arg(long, value_enum, default_value = "test")]
    split: Split,
    /// Write a row for each of these images to this CSV file: its class, the likeliest one, the loss
    #[arg(long, value_name = "FILE")]
    per_image: Option<PathBuf>,
    /// Name each image by the mean of the probabilities of the image and of its mirror image
    #[arg(long, value_enum, value_name = "flip")]
    tta: Option<Tta>,
    /// Where to run
    #[arg(long, value_enum, default_value = "auto")]
    device: DeviceKind,
    #[command(flatten)]
    json: Json,
}

pub fn run(flags: &Flags) -> Result<Ending> {
    let console = Console::new(flags.json.json);
    if let Some(path) = &flags.per_image {
        expect_place("--per-image", path)?;
    }
    let device = trainer::open_device(flags.device, &console)?;
    let Subject { path, trained, mut set } = match &flags.weights {
        Some(path) => state_dict(flags, path.clone(), &device, &console)?,
        None => checkpoint(flags, &device, &console)?,
    };
    let description = &trained.description;
    let images = set.split(flags.split).clone();
    if images.is_empty() {
        return Err(Error::Setting(format!("{} has no {} images{}", set.name, flags.split, why_none(flags.split))));
    }
    description.fits(&images, &set.name)?;
    same_classes(description, &set)?;
    if flags.per_image.is_some() || flags.tta.is_some() {
        expect_classes(description)?;
    }
    if flags.tta.is_some() && description.tells_labels() {
        return Err(Error::Setting(format!("--tta: not where an image may have several labels, as those of {}", set.name)));
    }
    // As in training, whatever is the mean of these images.
    set.mean.clone_from(&description.mean);
    set.std.clone_from(&description.std);
    let began = Instant::now();
    let source = Source::new(&device, &images);
    let (loss, how) = (description.loss(0.0)?, Treatment::of(&set));
    let mut evaluator = Evaluator::of_views(&trained.net, &device, &source, images.len(), loss, &how, flags.tta)?;
    let score = evaluator.score()?.expect("there are images");
    let elapsed_s = began.elapsed().as_secs_f64();
    if let Some(path) = &flags.per_image {
        write_per_image(path, &mut evaluator, description, &images)?;
    }
    let images_per_s = score.images as f64 / elapsed_s;
    let tells_pixels = description.tells_pixels();
    let accuracy = (description.has_accuracy() || tells_pixels).then_some(score.accuracy);
    let by_class = by_class(&description.classes, evaluator.overlaps());
    if flags.json.json {
        let mut answer = json!({
            "accuracy": accuracy,
            "loss": score.loss,
            "images": score.images,
            "split": flags.split.key(),
            "images_per_s": images_per_s,
            "model": description.model,
            "data": set.name,
            "device": device.name(),
            "checkpoint": path.display().to_string(),
        });
        if tells_pixels {
            answer["mean_iou"] = json!(score.mean_iou);
            answer["classes"] = json!(by_class);
        }
        say_json(&answer)?;
    } else {
        let name = match tells_pixels {
            true => "pixels right",
            false if description.tells_labels() => "labels right",
            false => "accuracy",
        };
        let accuracy = accuracy.map_or(String::new(), |a| format!("{name} {:.2} %, ", 100.0 * a));
        say(&format!("{accuracy}loss {:.4} over {} {} images", score.loss, score.images, flags.split))?;
        if let Some(mean_iou) = score.mean_iou {
            say(&format!("{:<50}{:>12}{:>10}", "class", "pixels", "IoU %"))?;
            let percent = |iou: Option<f64>| iou.map_or_else(|| "-".to_owned(), |iou| format!("{:.2}", 100.0 * iou));
            let line = |name: &str, pixels: &str, iou| say(&format!("{name:<50}{pixels:>12}{:>10}", percent(iou)));
            by_class.iter().try_for_each(|row| line(&cut(&printable_name(&row.class), 48), &row.pixels.to_string(), row.iou))?;
            line("mean", "", Some(mean_iou))?;
        }
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

fn checkpoint(flags: &Flags, device: &Device, console: &Console) -> Result<Subject> {
    let path = flags.which.file()?;
    let trained = Trained::read(&path, device)?;
    trained.expect_model(flags.model.as_deref(), &path)?;
    let set = opened(settings_of_run(&path)?, flags, Some(&trained.description), console)?;
    Ok(Subject { path, trained, set })
}

/// The data set of these settings, or that of --data, with the images held out that the run held out.
///
/// Pictures are read as the network's were. Those of another set than the run's, none of which are for the test, are all there to be
/// measured on.
fn opened(of_run: Option<Settings>, flags: &Flags, description: Option<&Description>, console: &Console) -> Result<Dataset> {
    if of_run.is_none() && flags.data.is_none() {
        return Err(Error::Setting("this checkpoint lies in no run's folder: name a data set with --data".into()));
    }
    let mut settings = of_run.unwrap_or_default();
    // Whatever lies there now is measured on.
    settings.data_fingerprint = None;
    let whole = |data: &String| absolute(data).ok();
    let is_other = flags.data.as_ref().is_some_and(|data| whole(data) != settings.data.as_ref().and_then(whole));
    settings.data = flags.data.clone().or(settings.data);
    if is_other {
        // Those are about how the run's own set was read and parted.
        (settings.test, settings.image_size) = (None, None);
        (settings.fit, settings.background, settings.skip_bad) = (None, None, None);
        (settings.cache, settings.in_memory) = (None, None);
    }
    let mut config = settings.resolve()?;
    let shape = description.map(Description::input).transpose()?.map(|input| [0, 1, 2].map(|axis| input.dim(axis)));
    let reading = description.map(|description| description.reading);
    let Opened { data: mut set, remarks, .. } = config.read_data(shape, reading, console)?;
    remarks.iter().for_each(|remark| console.note(remark));
    if set.has_files() && set.test.is_empty() && is_other && flags.split == Split::Test {
        console.note(&format!("{} has no test images: all its pictures are measured on", set.name));
        set.test = set.train.clone();
    } else if set.has_files() || flags.split != Split::Test {
        config.settle(&mut set)?;
    }
    Ok(set)
}

/// Where the images of a split went.
fn why_none(split: Split) -> &'static str {
    match split {
        Split::Val => ": the run held none out (--val)",
        _ => "",
    }
}

fn state_dict(flags: &Flags, path: PathBuf, device: &Device, console: &Console) -> Result<Subject> {
    let Some(model) = flags.model.as_ref().filter(|_| flags.data.is_some()) else {
        return Err(Error::Setting("--weights needs --model and --data".into()));
    };
    model::expect_known(model)?;
    let set = opened(None, flags, None, console)?;
    let weights = Weights { path: &path, strip_prefix: flags.strip_prefix.as_deref(), lenient: flags.lenient };
    let (trained, skipped) = Trained::with_weights(model, weights, &set, device)?;
    if !skipped.is_empty() {
        console.note(&format!("{}: passed over{}", path.display(), skipped.lists()));
    }
    Ok(Subject { path, trained, set })
}

/// The settings of the run that a checkpoint lies in.
fn settings_of_run(checkpoint: &Path) -> Result<Option<Settings>> {
    let config = checkpoint.with_file_name("config.toml");
    config.is_file().then(|| read_settings(&config)).transpose()
}
