//! `wgrad predict` with a network that tells the classes of pixels: a mask for each picture.

use super::answer::{say, say_csv, say_json};
use gpu_core::Device;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use train::error::{one_line, printable_name};
use train::model::Trained;
use train::predict::{Segmenter, read_images, to_size_of};
use train::segmentation::write_mask;
use train::{Error, Result};

/// How the answer is told.
#[derive(Clone, Copy, PartialEq)]
pub enum Form {
    Lines,
    Csv,
    JsonLines,
    /// All in one object, which the caller prints.
    Json,
}

/// A picture's mask: its file, and the share of the pixels that each class has.
struct Found {
    mask: PathBuf,
    shares: Vec<f64>,
}

/// What became of the pictures.
pub struct Masks {
    /// For the one object.
    pub objects: Vec<Value>,
    pub is_any_unread: bool,
}

/// Writes a mask for each picture into the folder `out`, in the picture's own size and under its name.
pub fn predict(trained: &Trained, device: &Device, files: &[PathBuf], batch: usize, out: &Path, form: Form) -> Result<Masks> {
    let targets = targets(files, out)?;
    let segmenter = Segmenter::new(trained, device, batch.min(files.len()))?;
    let classes = &trained.description.classes;
    fs::create_dir_all(out).map_err(|source| Error::File { doing: "making", path: out.into(), source })?;
    if form == Form::Csv {
        say_csv(&heads(classes))?;
    }
    let (mut objects, mut last, mut read) = (Vec::new(), None, 0);
    for (files, targets) in files.chunks(segmenter.batch()).zip(targets.chunks(segmenter.batch())) {
        let pictures = read_images(files, &trained.description);
        let good: Vec<_> = pictures.iter().filter_map(|picture| picture.as_ref().ok()).collect();
        let mut masks = if good.is_empty() { Vec::new() } else { segmenter.masks(&good)? }.into_iter();
        for ((file, target), picture) in files.iter().zip(targets).zip(pictures) {
            let found = picture.and_then(|_| {
                let (values, size) = to_size_of(file, &masks.next().expect("one for each that was read"), &trained.description)?;
                write_mask(target, &values, size)?;
                Ok(Found { mask: target.clone(), shares: shares(&values, classes.len()) })
            });
            read += usize::from(found.is_ok());
            match form {
                Form::Lines => lines(file, &found, classes)?,
                Form::Csv => say_csv(&cells(file, &found, classes))?,
                Form::JsonLines => say_json(&object(file, &found, classes))?,
                Form::Json => objects.push(object(file, &found, classes)),
            }
            last = found.err().or(last);
        }
    }
    match last {
        Some(error) if read == 0 => Err(error),
        error => Ok(Masks { objects, is_any_unread: error.is_some() }),
    }
}

/// Where each mask is written.
fn targets(files: &[PathBuf], out: &Path) -> Result<Vec<PathBuf>> {
    let mut taken = BTreeMap::new();
    let whole = |path: &Path| fs::canonicalize(path).ok();
    let target = |file: &PathBuf| {
        let mut name = file.file_stem().unwrap_or_default().to_owned();
        name.push(".png");
        let target = out.join(name);
        if let Some(other) = taken.insert(target.clone(), file.clone()) {
            let (one, other, target) = (file.display(), other.display(), target.display());
            return Err(Error::Setting(format!("{other} and {one} would both have the mask {target}: name them in two commands")));
        }
        match whole(&target).filter(|target| files.iter().any(|file| whole(file).as_ref() == Some(target))) {
            Some(_) => Err(Error::Setting(format!("--out {}: a mask would be written over {}", out.display(), target.display()))),
            None => Ok(target),
        }
    };
    files.iter().map(target).collect()
}

/// Of the pixels that have a class.
fn shares(values: &[u8], classes: usize) -> Vec<f64> {
    let mut counts = vec![0usize; classes];
    values
        .iter()
        .filter_map(|&value| Some(usize::from(value)).filter(|class| *class < classes))
        .for_each(|class| counts[class] += 1);
    let all = counts.iter().sum::<usize>().max(1) as f64;
    counts.into_iter().map(|count| count as f64 / all).collect()
}

fn object(file: &Path, found: &Result<Found>, classes: &[String]) -> Value {
    match found {
        Ok(Found { mask, shares }) => {
            let class =
                |(label, (class, share)): (usize, (&String, &f64))| json!({ "class": class, "label": label, "share": share });
            let classes: Vec<Value> = classes.iter().zip(shares).enumerate().map(class).collect();
            json!({ "image": file.display().to_string(), "mask": mask.display().to_string(), "classes": classes })
        }
        Err(error) => json!({ "image": file.display().to_string(), "error": one_line(error) }),
    }
}

/// The names of the columns.
fn heads(classes: &[String]) -> Vec<String> {
    let shares = classes.iter().map(|class| format!("share({class})"));
    ["image", "mask"].map(str::to_owned).into_iter().chain(shares).chain(["error".to_owned()]).collect()
}

fn cells(file: &Path, found: &Result<Found>, classes: &[String]) -> Vec<String> {
    let mut cells = vec![file.display().to_string()];
    if let Ok(Found { mask, shares }) = found {
        cells.push(mask.display().to_string());
        cells.extend(shares.iter().map(f64::to_string));
    }
    cells.resize(2 + classes.len(), String::new());
    cells.push(found.as_ref().err().map(|error| one_line(error)).unwrap_or_default());
    cells
}

fn lines(file: &Path, found: &Result<Found>, classes: &[String]) -> Result<()> {
    match found {
        Ok(Found { mask, shares }) => {
            say(&format!("{}: {}", file.display(), mask.display()))?;
            let mut there = classes.iter().zip(shares).filter(|(_, share)| **share > 0.0);
            there.try_for_each(|(class, share)| say(&format!("  {:>6.2} %  {}", 100.0 * share, printable_name(class))))
        }
        Err(error) => {
            say(&file.display().to_string())?;
            say(&format!("  error: {}", one_line(error)))
        }
    }
}
