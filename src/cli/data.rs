//! `wgrad data`: what is in a data set, and what a network sees of it.

use super::answer::{Ending, Json, say, say_json};
use super::columns::cut;
use clap::{Args, Subcommand};
use gpu_core::{DType, Device, Shape, Tensor};
use serde_json::{Value, json};
use std::path::PathBuf;
use train::console::Console;
use train::data::{self, Dataset, Opened, Opening, Place, SIDE, Split, Survey};
use train::error::printable_name;
use train::loader::{Source, Treatment};
use train::photo::{Background, Fit, Reading};
use train::picture::save_grid;
use train::segmentation::laid_over;
use train::settings::Settings;
use train::{Result, expect_place};

#[derive(Args)]
pub struct Flags {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Count the images of each class, and find those that stand there twice or cannot be read
    Info(Info),
    /// Write a sheet of training images as a network sees them
    Show(Show),
}

#[derive(Args)]
struct Which {
    /// Data set: builtin, a folder, an archive of CIFAR, or a table of pictures (.csv)
    #[arg(value_name = "DIR|FILE")]
    data_set: String,
    /// Rows and columns that pictures are brought to [default: 64]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u16).range(1..=4096))]
    image_size: Option<u16>,
    /// How a picture of another shape fits that: stretched, or its middle
    #[arg(long, value_enum, default_value = "stretch")]
    fit: Fit,
    /// Colour under what is transparent in pictures
    #[arg(long, value_name = "COLOUR", default_value = "white")]
    background: Background,
}

#[derive(Args)]
struct Info {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    json: Json,
}

#[derive(Args)]
struct Show {
    #[command(flatten)]
    which: Which,
    /// The PNG file to write
    #[arg(long, value_name = "FILE.png")]
    out: PathBuf,
    /// How many images
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    images: u32,
    /// auto (as in training), none, or a list as --augment of training takes it
    #[arg(long, value_name = "LIST", default_value = "auto")]
    augment: String,
    /// Seed of the choice and of the augmentation
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    json: Json,
}

pub fn run(flags: &Flags) -> Result<Ending> {
    match &flags.command {
        Command::Info(flags) => info(flags),
        Command::Show(flags) => show(flags),
    }
}

impl Which {
    /// The set, parted as `settings` and the defaults of training part it, without what cannot be read.
    fn open(&self, settings: Settings, console: &Console) -> Result<(Opened, train::settings::Config)> {
        let side = self.image_size.map_or(SIDE, usize::from);
        let reading = Reading { fit: self.fit, background: self.background };
        let progress = console.counting("reading pictures");
        let opening = Opening { reading, skip_bad: true, progress: &progress, ..Opening::of([3, side, side]) };
        let mut opened = data::open_as(&self.data_set, &opening)?;
        let mut config = Settings { data: Some(self.data_set.clone()), ..settings }.resolve()?;
        config.settle(&mut opened.data)?;
        Ok((opened, config))
    }
}

/// The name of an image: its file, or its number.
fn name(data: &Dataset, (split, row): Place) -> String {
    match data.split(split).file(row) {
        Some(file) => file.display().to_string(),
        None => format!("image {row}"),
    }
}

fn info(flags: &Info) -> Result<Ending> {
    let console = Console::new(flags.json.json);
    let (Opened { data, remarks, unreadable }, _) = flags.which.open(Settings::default(), &console)?;
    let survey = Survey::of(&data);
    let shape = [data.train.channels(), data.train.height(), data.train.width()];
    if flags.json.json {
        let place = |place: Place| json!({ "split": place.0.key(), "image": name(&data, place) });
        let class = |(class, [train, val, test]): (&String, &[usize; 3])| json!({ "class": class, "train": train, "val": val, "test": test });
        let bad = unreadable.iter().map(|(path, why)| json!({ "file": path.display().to_string(), "why": why }));
        return say_json(&json!({
            "data": data.name,
            "shape": shape,
            // Of which there are so many of each class.
            "counted": if data.has_masks() { "pixels" } else { "images" },
            "classes": data.classes.iter().zip(&survey.counts).map(class).collect::<Vec<_>>(),
            "mean": data.mean,
            "std": data.std,
            "same_across_splits": survey.across.iter().map(|(a, b)| json!([place(*a), place(*b)])).collect::<Vec<Value>>(),
            "same_within_splits": survey.within,
            "unreadable": bad.collect::<Vec<_>>(),
        }))
        .map(|()| Ending::Done);
    }
    say(&format!("{}: {} classes, images of {} x {} in {} channels", data.name, data.classes.len(), shape[1], shape[2], shape[0]))?;
    let (what, all) = if data.has_masks() { ("pixels of class", "images") } else { ("class", "all") };
    say(&format!("{what:<50}{:>9}{:>9}{:>9}", "train", "val", "test"))?;
    let row = |name: &str, [train, val, test]: [usize; 3]| say(&format!("{name:<50}{train:>9}{val:>9}{test:>9}"));
    for (class, counts) in data.classes.iter().zip(&survey.counts) {
        row(&cut(&printable_name(class), 48), *counts)?;
    }
    row(all, [Split::Train, Split::Val, Split::Test].map(|split| data.split(split).len()))?;
    let figures = |values: &[f32]| values.iter().map(f32::to_string).collect::<Vec<_>>().join(" ");
    say(&format!("mean {}, deviation {}", figures(&data.mean), figures(&data.std)))?;
    say(&format!("the same image again: {} within a split, {} in another one", survey.within, survey.across.len()))?;
    for (first, second) in &survey.across {
        let told = |place: &Place| format!("{} {}", place.0.key(), printable_name(&name(&data, *place)));
        say(&format!("  {} = {}", told(first), told(second)))?;
    }
    say(&format!("files that cannot be read: {}", unreadable.len()))?;
    for (path, why) in &unreadable {
        say(&format!("  {}: {why}", printable_name(&path.display().to_string())))?;
    }
    // Those that cannot be read were told.
    remarks.iter().filter(|remark| remark.contains("passed over")).try_for_each(|remark| say(remark))?;
    Ok(Ending::Done)
}

fn show(flags: &Show) -> Result<Ending> {
    expect_place("--out", &flags.out)?;
    let console = Console::new(flags.json.json);
    let settings = Settings { augment: Some(flags.augment.clone()), ..Settings::default() };
    let (Opened { data, .. }, config) = flags.which.open(settings, &console)?;
    let (device, set) = (Device::Cpu, &data.train);
    let count = set.len().min(flags.images as usize);
    let chosen = &data::shuffled(set.len(), flags.seed, 0)[..count];
    let how = config.augmentation()?;
    let labels = match set.has_masks() {
        true => Shape::from([count, set.height(), set.width()]),
        false => Shape::from([count]),
    };
    let mut feed = Source::new(&device, set).feed(count, &Treatment::of(&data).augmented(how, flags.seed));
    let slots = nn::Slots {
        x: Tensor::zeros(&device, [count, set.channels(), set.height(), set.width()]),
        labels: Tensor::zeros_of(&device, labels, DType::U32),
        targets: (how.mixes() || data.is_multi_label()).then(|| Tensor::zeros(&device, [count, data.classes.len()])),
        step: Tensor::from_slice(&device, [1], &[0u32]),
    };
    feed.fill(0, chosen)?;
    feed.launch(&slots);
    // Normalisation is undone: it is for the network, not for eyes.
    let per_channel = |values: &[f32]| Tensor::from_slice(&device, [1, set.channels(), 1, 1], values);
    let images = &(&slots.x * &per_channel(&data.std)) + &per_channel(&data.mean);
    let images = if set.has_masks() { under_masks(&images, &slots.labels)? } else { images };
    save_grid(&flags.out, &images, (count as f64).sqrt().ceil() as usize)?;
    let names =
        |row: &u32| set.classes_of(*row as usize).iter().map(|&class| &*data.classes[class as usize]).collect::<Vec<_>>().join("|");
    // Of masks, what is in a picture stands in it.
    let classes: Vec<String> = chosen.iter().filter(|_| !set.has_masks()).map(names).collect();
    if flags.json.json {
        say_json(
            &json!({ "file": flags.out.display().to_string(), "images": count, "augment": config.augment, "classes": classes }),
        )?;
    } else {
        say(&format!("{count} training images, augment {}: {}", config.augment, flags.out.display()))?;
    }
    Ok(Ending::Done)
}

/// Images (N, C, H, W), values from 0 to 1, in colour, with the classes of their pixels (N, H, W) laid over them.
fn under_masks(images: &Tensor, labels: &Tensor) -> Result<Tensor> {
    let &[n, channels, h, w] = images.shape().dims() else { unreachable!("images") };
    let (values, labels, plane) = (images.to_vec()?, labels.read::<u32>()?, h * w);
    let mut shown = vec![0.0; 3 * labels.len()];
    for (i, &label) in labels.iter().enumerate() {
        let (image, at) = (i / plane, i % plane);
        let byte = |c: usize| (255.0 * values[(image * channels + c % channels) * plane + at]).round().clamp(0.0, 255.0) as u8;
        for (c, value) in laid_over([0, 1, 2].map(byte), label).into_iter().enumerate() {
            shown[(3 * image + c) * plane + at] = f32::from(value) / 255.0;
        }
    }
    Ok(Tensor::from_slice(images.device(), [n, 3, h, w], &shown))
}
