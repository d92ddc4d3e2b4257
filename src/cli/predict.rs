//! `wgrad predict`.

use super::answer::{Ending, Json, say, say_csv, say_json};
use super::checkpoint::Which;
use super::masks::{self, Form};
use clap::Args;
use gpu_core::Device;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use train::console::Console;
use train::error::{one_line, printable_name};
use train::model::Trained;
use train::predict::{Guess, Predictor, pictures, read_images};
use train::settings::DeviceKind;
use train::tta::Tta;
use train::{Error, Result, trainer};

#[derive(Args)]
pub struct Flags {
    /// Pictures (PNG, JPEG, WebP, BMP or GIF), folders of them, or patterns such as 'photos/*.jpg'
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    #[command(flatten)]
    which: Which,
    /// How many classes to name [default: 5; where an image may have several labels, all that are likelier than not]
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// Folder for the masks of a network that tells the classes of pixels: each has the name and the size of its picture
    #[arg(long, short = 'o', value_name = "DIR", default_value = "masks")]
    out: PathBuf,
    /// Images at a time
    #[arg(long, value_name = "N", default_value = "32", value_parser = clap::value_parser!(u16).range(1..))]
    batch_size: u16,
    /// Name each image by the mean of the probabilities of the image and of its mirror image
    #[arg(long, value_enum, value_name = "flip")]
    tta: Option<Tta>,
    /// Where to run
    #[arg(long, value_enum, default_value = "auto")]
    device: DeviceKind,
    /// Print comma-separated values: a row an image
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Print JSON lines: an object an image
    #[arg(long, conflicts_with_all = ["json", "csv"])]
    jsonl: bool,
    #[command(flatten)]
    json: Json,
}

/// An image, and what is in it or why it cannot be read.
struct Row {
    image: PathBuf,
    found: Result<Vec<Guess>>,
}

pub fn run(flags: &Flags) -> Result<Ending> {
    let console = Console::new(flags.json.json || flags.jsonl || flags.csv);
    let path = flags.which.file()?;
    let files = pictures(&flags.images)?;
    let device = trainer::open_device(flags.device, &console)?;
    let trained = Trained::read(&path, &device)?;
    if trained.description.tells_pixels() {
        return of_pixels(flags, &trained, &device, &files, &path);
    }
    let predictor = Predictor::of_views(&trained, &device, files.len().min(flags.batch_size.into()), flags.tta)?;
    let (is_multi_label, classes) = (trained.description.tells_labels(), trained.description.classes.len());
    let top = flags.top.unwrap_or(if is_multi_label { classes } else { 5 }).min(classes);
    let mut answer =
        Answer { flags, top, is_multi_label, held: Vec::new(), is_any_read: false, is_any_unread: false, objects: Vec::new() };
    for files in files.chunks(predictor.batch()) {
        let read = read_images(files, &trained.description);
        let good: Vec<_> = read.iter().filter_map(|picture| picture.as_ref().ok()).collect();
        let mut guesses = if good.is_empty() { Vec::new() } else { predictor.guesses(&good, top)? }.into_iter();
        for (file, picture) in files.iter().zip(read) {
            let found = picture.map(|_| guesses.next().expect("a list for each that was read"));
            answer.add(Row { image: file.clone(), found })?;
        }
    }
    let is_any_unread = answer.is_any_unread;
    let objects = answer.end()?;
    if flags.json.json {
        say_json(&json!({ "predictions": objects, "checkpoint": path.display().to_string(), "device": device.name() }))?;
    }
    Ok(if is_any_unread { Ending::FoundWrong } else { Ending::Done })
}

/// A mask for each image.
fn of_pixels(flags: &Flags, trained: &Trained, device: &Device, files: &[PathBuf], checkpoint: &Path) -> Result<Ending> {
    if flags.top.is_some() || flags.tta.is_some() {
        return Err(Error::Setting(format!(
            "--top and --tta: not for {}, which tells the classes of pixels",
            trained.description.model
        )));
    }
    let form = match (flags.json.json, flags.jsonl, flags.csv) {
        (true, ..) => Form::Json,
        (_, true, _) => Form::JsonLines,
        (_, _, true) => Form::Csv,
        _ => Form::Lines,
    };
    let found = masks::predict(trained, device, files, flags.batch_size.into(), &flags.out, form)?;
    if form == Form::Json {
        say_json(
            &json!({ "predictions": found.objects, "checkpoint": checkpoint.display().to_string(), "device": device.name() }),
        )?;
    }
    Ok(if found.is_any_unread { Ending::FoundWrong } else { Ending::Done })
}

/// Rows on their way out. Until one image was read they are held back: where none can be, there is no answer but an error.
struct Answer<'a> {
    flags: &'a Flags,
    /// Classes that are named.
    top: usize,
    /// Whether an image may have several of them: then those that it has stand in one cell.
    is_multi_label: bool,
    held: Vec<Row>,
    is_any_read: bool,
    is_any_unread: bool,
    /// For the one object of `--json`.
    objects: Vec<Value>,
}

impl Answer<'_> {
    fn add(&mut self, row: Row) -> Result<()> {
        let is_first = row.found.is_ok() && !self.is_any_read;
        self.is_any_read |= row.found.is_ok();
        self.is_any_unread |= row.found.is_err();
        self.held.push(row);
        if !self.is_any_read {
            return Ok(());
        }
        if is_first && self.flags.csv {
            say_csv(&if self.is_multi_label { LABEL_HEADS.map(str::to_owned).to_vec() } else { heads(self.top) })?;
        }
        std::mem::take(&mut self.held).iter().try_for_each(|row| self.tell(row))
    }

    fn tell(&mut self, row: &Row) -> Result<()> {
        let Flags { json, jsonl, csv, .. } = self.flags;
        if json.json {
            self.objects.push(object(row));
        } else if *jsonl {
            say_json(&object(row))?;
        } else if *csv {
            say_csv(&if self.is_multi_label { label_cells(row) } else { cells(row, self.top) })?;
        } else {
            lines(row, self.is_multi_label)?;
        }
        Ok(())
    }

    fn end(mut self) -> Result<Vec<Value>> {
        match self.held.pop() {
            Some(Row { found: Err(error), .. }) if self.held.is_empty() => Err(error),
            Some(Row { found: Err(error), .. }) => {
                Err(Error::Setting(format!("none of {} images can be read; the last: {}", self.held.len() + 1, one_line(&error))))
            }
            _ => Ok(self.objects),
        }
    }
}

fn object(Row { image, found }: &Row) -> Value {
    match found {
        Ok(guesses) => json!({ "image": name(image), "classes": guesses }),
        Err(error) => json!({ "image": name(image), "error": one_line(error) }),
    }
}

fn lines(Row { image, found }: &Row, is_multi_label: bool) -> Result<()> {
    say(&name(image))?;
    match found {
        Ok(guesses) if guesses.is_empty() && is_multi_label => say("  no label above 50 %"),
        Ok(guesses) => guesses
            .iter()
            .try_for_each(|guess| say(&format!("  {:>6.2} %  {}", 100.0 * guess.probability, printable_name(&guess.class)))),
        Err(error) => say(&format!("  error: {}", one_line(error))),
    }
}

/// The names of the columns where an image may have several labels.
const LABEL_HEADS: [&str; 4] = ["image", "labels", "probabilities", "error"];

fn label_cells(Row { image, found }: &Row) -> Vec<String> {
    let guesses = found.as_deref().unwrap_or_default();
    let joined = |each: fn(&Guess) -> String| guesses.iter().map(each).collect::<Vec<_>>().join("|");
    let error = found.as_ref().err().map(|error| one_line(error)).unwrap_or_default();
    vec![name(image), joined(|guess| guess.class.clone()), joined(|guess| guess.probability.to_string()), error]
}

/// The names of the columns: those of the likeliest class have no number.
fn heads(top: usize) -> Vec<String> {
    let of = |place: usize| {
        let number = if place == 1 { String::new() } else { format!("_{place}") };
        ["class", "label", "probability"].map(|name| format!("{name}{number}"))
    };
    let middle = (1..=top).flat_map(of);
    std::iter::once("image".to_owned()).chain(middle).chain(["error".to_owned()]).collect()
}

fn cells(Row { image, found }: &Row, top: usize) -> Vec<String> {
    let guesses = found.as_deref().unwrap_or_default();
    let mut cells = vec![name(image)];
    cells.extend(guesses.iter().flat_map(|g| [g.class.clone(), g.label.to_string(), g.probability.to_string()]));
    cells.resize(1 + 3 * top, String::new());
    cells.push(found.as_ref().err().map(|error| one_line(error)).unwrap_or_default());
    cells
}

fn name(image: &Path) -> String {
    image.display().to_string()
}
