//! Pictures in folders, one a class: `cat/1.jpg`, or `train/cat/1.jpg` beside `val/` and `test/`.
//!
//! All of them are brought to one size when the set is opened, and lie in memory as bytes, as every set does.

mod cache;
mod decode;
mod walk;

use super::dataset::Dataset;
use super::error::DataError;
use super::images::ImageSet;
use super::moments::moments;
use crate::error::{printable_name, short};
use cache::Cache;
use decode::{Decoded, decode};
use std::path::{Path, PathBuf};
use walk::Picture;

pub use decode::Opening;
pub(super) use walk::is_in;

/// Skipped pictures that are listed by name.
const LISTED: usize = 20;

/// A data set, and what a person should know about how it was read.
pub struct Opened {
    /// The set.
    pub data: Dataset,
    /// Sentences.
    pub remarks: Vec<String>,
    /// Pictures that could not be read and were left out, and why.
    pub unreadable: Vec<(PathBuf, String)>,
}

impl From<Dataset> for Opened {
    fn from(data: Dataset) -> Self {
        Self { data, remarks: Vec::new(), unreadable: Vec::new() }
    }
}

/// Opens the folder. Where there is no `test/`, there are no test images.
pub(super) fn open(root: &Path, opening: &Opening<'_>) -> Result<Opened, DataError> {
    let found = walk::look(root)?;
    let (classes, has_val, has_test) = (&found.classes, found.val.is_some(), found.test.is_some());
    if classes.len() < 2 {
        let message = format!("there is one class here ({}): a network that tells classes wants two or more", classes.concat());
        return Err(DataError::Pictures { path: root.into(), message });
    }
    let splits = [found.train, found.val.unwrap_or_default(), found.test.unwrap_or_default()];
    let total = splits.iter().map(Vec::len).sum();
    expect_room(root, total, opening.shape)?;
    let mut remarks: Vec<String> = walk::remark(&found.passed_over).into_iter().collect();
    let decoded = decoded(root, &splits, opening, &mut remarks)?;
    let mut bad = Vec::new();
    let mut sets = splits.into_iter().zip(decoded).map(|(pictures, decoded)| kept(pictures, decoded, opening.shape, &mut bad));
    let [train, val, test] = [(); 3].map(|()| sets.next().expect("three splits"));
    drop(sets);
    if !bad.is_empty() {
        if !opening.skip_bad {
            return Err(refused(bad));
        }
        remarks.push(format!("{} of {total} pictures cannot be read and were left out (--skip-bad):", bad.len()));
        remarks.extend(bad.iter().take(LISTED).map(|(path, why)| format!("  {}: {why}", printable_name(&path.to_string_lossy()))));
        remarks.extend((bad.len() > LISTED).then(|| format!("  ... and {} more", bad.len() - LISTED)));
    }
    for (label, class) in found.classes.iter().enumerate() {
        if !train.labels().contains(&(label as u32)) {
            let message = format!("no picture of the class {class} can be read to learn from");
            return Err(DataError::Pictures { path: root.into(), message });
        }
    }
    for (is_there, set, name) in [(has_val, &val, "val"), (has_test, &test, "test")] {
        if is_there && set.is_empty() {
            return Err(DataError::Pictures {
                path: root.into(),
                message: format!("{name}/ holds no pictures in its class folders"),
            });
        }
    }
    let (mean, std) = moments(&train);
    let data = Dataset { name: name_of(root), train, val, test, classes: found.classes, mean, std, reading: opening.reading };
    Ok(Opened { data, remarks, unreadable: bad })
}

/// The pictures of each split, from the cache where there is one that can be trusted. One that cannot be written is no fault of a run.
fn decoded(
    root: &Path,
    splits: &[Vec<Picture>; 3],
    opening: &Opening<'_>,
    remarks: &mut Vec<String>,
) -> Result<Vec<Decoded>, DataError> {
    let cache = opening.cache.map(|folder| Cache::new(folder, root, splits, opening));
    if let Some(decoded) = cache.as_ref().and_then(Cache::read) {
        return Ok(decoded);
    }
    let total = splits.iter().map(Vec::len).sum();
    let decoded = splits.iter().map(|pictures| decode(pictures, opening, total)).collect::<Result<Vec<_>, _>>()?;
    match cache.map(|cache| cache.write(&decoded)) {
        None => {}
        Some(Ok(path)) => remarks.push(format!("cache: {}", printable_name(&path.to_string_lossy()))),
        Some(Err(e)) => remarks.push(format!("the cache cannot be written ({e}): the pictures are decoded again next time")),
    }
    Ok(decoded)
}

/// What the folder is called, wherever it was named from.
fn name_of(root: &Path) -> String {
    let whole = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
    let name = whole.file_name().map_or_else(|| "pictures".into(), |name| name.to_string_lossy());
    short(&printable_name(&name))
}

/// Refuses more than the memory holds: the images as bytes, a quarter more for what is held out of them, and what of them comes to lie
/// on a device that may be this machine.
fn expect_room(root: &Path, images: usize, [channels, height, width]: [usize; 3]) -> Result<(), DataError> {
    let needed = |pixels: u128| {
        let bytes = pixels * channels as u128 * images as u128;
        bytes * 5 / 4 + bytes.min(1 << 30)
    };
    let (free, pixels) = (u128::from(gpu_core::free_bytes()), height as u128 * width as u128);
    if needed(pixels) <= free {
        return Ok(());
    }
    let fits = (1..=height).rev().find(|&side| needed(side as u128 * side as u128) <= free);
    let advice = fits.map_or_else(|| "take fewer of them".to_owned(), |side| format!("--image-size {side} fits"));
    let needed = needed(pixels);
    let message = format!("{images} pictures of {height} x {width} take {needed} bytes of memory, {free} are free: {advice}");
    Err(DataError::Pictures { path: root.into(), message })
}

/// A picture that cannot be read, and why.
type Bad = (PathBuf, String);

/// The pictures that were read as images. Those that were not go to `bad`, in their order.
fn kept(pictures: Vec<Picture>, decoded: Decoded, shape: [usize; 3], bad: &mut Vec<Bad>) -> ImageSet {
    let (Decoded { mut images, faults }, bytes) = (decoded, shape.iter().product::<usize>());
    let (mut kept, mut labels, mut files) = (0, Vec::new(), Vec::new());
    for (row, (picture, fault)) in pictures.into_iter().zip(faults).enumerate() {
        match fault {
            Some(fault) => bad.push((picture.path, fault)),
            None => {
                images.copy_within(row * bytes..(row + 1) * bytes, kept * bytes);
                kept += 1;
                labels.push(picture.label);
                files.push(picture.name);
            }
        }
    }
    images.truncate(kept * bytes);
    ImageSet::new(images, labels, shape).with_files(files)
}

/// The error for what cannot be read and was not to be left out.
fn refused(mut bad: Vec<Bad>) -> DataError {
    let others = bad.len() - 1;
    let (path, why) = bad.swap_remove(0);
    let others = match others {
        0 => String::new(),
        1 => "; so is 1 other".to_owned(),
        more => format!("; so are {more} others"),
    };
    DataError::Pictures { path, message: format!("{why}{others} (--skip-bad leaves such pictures out)") }
}

#[cfg(test)]
mod tests;
