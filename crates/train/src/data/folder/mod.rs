//! Pictures in folders, one a class: `cat/1.jpg`, or `train/cat/1.jpg` beside `val/` and `test/`; those that a table names; or those that
//! have [masks], which say the class of each pixel.
//!
//! All come to one list of pictures with their classes and splits ([`found`]), and from there on nothing knows which of them it was.
//! All of them are brought to one size. Either they are decoded when the set is opened, and lie in memory as bytes, as other sets do; or
//! each is decoded when it is first asked for, and read from a file from then on. The images are the same either way. What must be known
//! before the first step is a matter of few pictures: mean and deviation are those of at most [`MEASURED`], in memory or not. A picture
//! that cannot be read ends the run when its turn comes; to have it left out, all are looked at first.

mod found;
mod masks;
mod opening;
mod table;
mod walk;

use super::dataset::Dataset;
use super::error::DataError;
use super::images::ImageSet;
use super::moments::moments;
use super::shelf::Shelf;
use super::shuffle::shuffled;
use crate::error::{printable_name, short};
use crate::photo::ValueSet;
use found::{Found, Picture};
use masks::{Coding, Seen};
use rayon::prelude::*;
use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use opening::{InMemory, Opening};
pub(super) use table::is_table;
pub(super) use walk::is_in;

/// Skipped pictures that are listed by name.
const LISTED: usize = 20;

/// The most pictures that mean and deviation are taken from: with so many they are right to some thousandths.
const MEASURED: usize = 2048;
/// The key of their choice; with another one it would be another.
const MEASURED_KEY: u64 = 0x6d65_616e_5f73_7464;

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

/// What a set is called by: its folder or the file of its table, and the folder below which its pictures lie.
#[derive(Clone, Copy)]
struct Place<'a> {
    named: &'a Path,
    root: &'a Path,
}

/// Opens the folder. Where there is no `test/`, there are no test images.
pub(super) fn open(root: &Path, opening: &Opening<'_>) -> Result<Opened, DataError> {
    let found = match masks::are_in(root)? {
        true => masks::look(root, opening.skip_bad)?,
        false => walk::look(root)?,
    };
    opened(found, Place { named: root, root }, opening)
}

/// Opens the pictures that a table names. Where it names none for the test, there are no test images.
pub(super) fn open_table(path: &Path, opening: &Opening<'_>) -> Result<Opened, DataError> {
    let root = path.parent().unwrap_or_else(|| Path::new(""));
    opened(table::look(path, root, opening.skip_bad)?, Place { named: path, root }, opening)
}

fn opened(found: Found, place: Place<'_>, opening: &Opening<'_>) -> Result<Opened, DataError> {
    let (has_val, has_test) = (found.val.is_some(), found.test.is_some());
    let wrong = |message| Err(DataError::Pictures { path: place.named.into(), message });
    if found.classes.len() < 2 && !found.is_masked {
        let class = found.classes.concat();
        let besides = if class == "images" { " (of pictures with masks, those lie in masks/ beside it)" } else { "" };
        return wrong(format!("there is one class here ({class}): a network that tells classes wants two or more{besides}"));
    }
    let splits = [found.train, found.val.unwrap_or_default(), found.test.unwrap_or_default()];
    let total = splits.iter().map(Vec::len).sum();
    let in_memory = lie_in_memory(place.named, total, found.is_masked, opening)?;
    let mut remarks: Vec<String> = found.passed_over.remark().into_iter().collect();
    let shelf = Arc::new(shelf(place, &splits, in_memory, opening, &mut remarks));
    let mut bad = Vec::new();
    let parts = parts(splits, &shelf, in_memory, opening, &mut bad)?;
    remarks.extend(shelf.fault().map(unkept));
    if !bad.is_empty() {
        if !opening.skip_bad {
            return Err(refused(bad));
        }
        remarks.push(format!("{} of {total} pictures cannot be read and were left out (--skip-bad):", bad.len()));
        remarks.extend(bad.iter().take(LISTED).map(|(path, why)| format!("  {}: {why}", printable_name(&path.to_string_lossy()))));
        remarks.extend((bad.len() > LISTED).then(|| format!("  ... and {} more", bad.len() - LISTED)));
    }
    let (classes, [train, val, test]) = match found.is_masked {
        true => coded(place.root, found.classes, &shelf, parts)?,
        false => (found.classes, parts.map(|part| part.set)),
    };
    let [train, val, test] = [train, val, test].map(|set| match &found.sets {
        Some(sets) => set.with_label_sets(sets.clone()),
        None => set,
    });
    let learned: HashSet<&u32> = (0..train.len()).flat_map(|row| train.classes_of(row)).collect();
    let missing = (0..classes.len()).find(|label| !learned.contains(&(*label as u32)));
    if let Some(label) = missing.filter(|_| !found.is_masked) {
        return wrong(format!("no picture of the class {} can be read to learn from", classes[label]));
    }
    for (is_there, set, name) in [(has_val, &val, "val"), (has_test, &test, "test")] {
        if is_there && set.is_empty() {
            return wrong(format!("no picture for {name} can be read"));
        }
    }
    let measured = measured(train.len());
    let count = || {
        // Those that were decoded above were counted there.
        if !in_memory && !opening.skip_bad && !found.is_masked {
            (opening.progress)(measured.len());
        }
    };
    let (mean, std) = moments(&train, &measured, &count)?;
    let data = Dataset { name: name_of(place.named), train, val, test, classes, mean, std, reading: opening.reading };
    Ok(Opened { data, remarks, unreadable: bad })
}

/// The images of the splits, and the classes, once the values of all masks are known.
fn coded(root: &Path, names: Vec<String>, shelf: &Shelf, parts: [Part; 3]) -> Result<(Vec<String>, [ImageSet; 3]), DataError> {
    if parts[0].rows.is_empty() {
        return Err(DataError::Pictures { path: root.into(), message: "no picture can be read to learn from".into() });
    }
    let seen = |(part, at): (usize, usize)| Seen {
        mask: shelf.mask(parts[part].rows[at] as usize).unwrap_or(root),
        values: parts[part].values[at],
        is_learned: part == 0,
    };
    let all = (0..3).flat_map(|part| (0..parts[part].rows.len()).map(move |at| (part, at)));
    let Coding { classes, of_two } = Coding::of(root, names, &all.map(seen).collect::<Vec<_>>())?;
    Ok((classes, parts.map(|part| if of_two { part.set.with_masks_of_two() } else { part.set })))
}

/// The rows of the training images that mean and deviation are taken from.
fn measured(images: usize) -> Vec<u32> {
    let mut rows = shuffled(images, MEASURED_KEY, 0);
    rows.truncate(MEASURED);
    rows
}

/// Whether the images are to lie in memory.
fn lie_in_memory(set: &Path, total: usize, is_masked: bool, opening: &Opening<'_>) -> Result<bool, DataError> {
    // A mask takes as much as a channel.
    let [channels, height, width] = opening.shape;
    let shape = [channels + usize::from(is_masked), height, width];
    match opening.in_memory {
        InMemory::On => expect_room(set, total, shape).map(|()| true),
        InMemory::Off => Ok(false),
        InMemory::Auto => Ok(needed_bytes(total, shape) <= u128::from(gpu_core::free_bytes() / 2)),
    }
}

/// The pictures of all splits, one after the other. A cache that cannot be made is no fault of a run.
fn shelf(place: Place<'_>, splits: &[Vec<Picture>; 3], in_memory: bool, opening: &Opening<'_>, remarks: &mut Vec<String>) -> Shelf {
    let files = splits.iter().flatten().map(|picture| (picture.path.clone(), picture.mask.clone())).collect();
    let mut shelf = Shelf::new(files, opening.shape, opening.reading);
    if !in_memory {
        remarks.push("pictures are decoded as they are needed (--in-memory off)".to_owned());
    }
    let folder = opening.cache.or(opening.spill.filter(|_| !in_memory));
    match folder.map(|folder| shelf.keep_in(folder, place.named, place.root)) {
        None => {}
        Some(Ok(())) => {
            remarks.extend(shelf.new_file().map(|path| format!("cache: {}", printable_name(&path.to_string_lossy()))));
        }
        Some(Err(e)) => remarks.push(unkept(&e.to_string())),
    }
    shelf
}

/// What is said where pictures cannot be kept.
pub fn unkept(fault: &str) -> String {
    format!("the cache cannot be written ({fault}): pictures are decoded again each time")
}

/// A split.
struct Part {
    set: ImageSet,
    /// Its pictures' rows on the shelf, and the values of their masks.
    rows: Vec<u32>,
    values: Vec<ValueSet>,
}

/// The splits; pictures that are known to be unreadable go to `bad`.
fn parts(
    splits: [Vec<Picture>; 3],
    shelf: &Arc<Shelf>,
    in_memory: bool,
    opening: &Opening<'_>,
    bad: &mut Vec<Bad>,
) -> Result<[Part; 3], DataError> {
    let (total, mut first, mut parts) = (splits.iter().map(Vec::len).sum(), 0, Vec::new());
    for pictures in splits {
        let rows = first..first + pictures.len();
        first = rows.end;
        parts.push(if in_memory {
            let (images, looks) = decoded(shelf, rows.clone(), opening, total)?;
            kept(pictures, rows.start, looks, bad).held(images, shelf, opening.shape)
        } else {
            // What the values of masks stand for is known from all of them.
            let looks = match opening.skip_bad || shelf.is_masked() {
                true => looked_at(shelf, rows.clone(), opening, total),
                false => vec![Ok(ValueSet::default()); rows.len()],
            };
            kept(pictures, rows.start, looks, bad).shelved(shelf, opening.shape)
        });
    }
    Ok(parts.try_into().unwrap_or_else(|_| unreachable!("three splits")))
}

/// The images of `rows`, each with its mask, and what was seen of each; of one that could not be read the bytes are nothing.
fn decoded(shelf: &Shelf, rows: Range<usize>, opening: &Opening<'_>, total: usize) -> Result<(Vec<u8>, Vec<Look>), DataError> {
    let (bytes, mut images) = (shelf.row_bytes(), Vec::new());
    let room = images.try_reserve_exact(rows.len() * bytes);
    room.map_err(|e| DataError::Pictures { path: "pictures".into(), message: format!("{e}: give a smaller --image-size") })?;
    images.resize(rows.len() * bytes, 0);
    let read = |(place, row): (&mut [u8], usize)| {
        let read = if shelf.read_kept(row, place) { Ok(()) } else { decoded_now(shelf, row, place, opening, total) };
        read.map(|()| shelf.parted(place).2)
    };
    let looks = images.par_chunks_exact_mut(bytes).zip(rows).map(read).collect();
    Ok((images, looks))
}

/// What is seen of each picture of `rows`.
fn looked_at(shelf: &Shelf, rows: Range<usize>, opening: &Opening<'_>, total: usize) -> Vec<Look> {
    let look = |place: &mut Vec<u8>, row: usize| {
        let is_kept = if shelf.is_masked() { shelf.read_kept(row, place) } else { shelf.has(row) };
        let read = if is_kept { Ok(()) } else { decoded_now(shelf, row, place, opening, total) };
        read.map(|()| shelf.parted(place).2)
    };
    rows.into_par_iter().map_init(|| vec![0; shelf.row_bytes()], look).collect()
}

fn decoded_now(shelf: &Shelf, row: usize, place: &mut [u8], opening: &Opening<'_>, total: usize) -> Result<(), String> {
    let read = shelf.decode(row, place);
    (opening.progress)(total);
    read
}

/// What the folder or the table is called, wherever it was named from.
fn name_of(set: &Path) -> String {
    let whole = std::fs::canonicalize(set).unwrap_or_else(|_| set.to_path_buf());
    let name = whole.file_name().map_or_else(|| "pictures".into(), |name| name.to_string_lossy());
    short(&printable_name(&name))
}

/// What images take in memory: their bytes, a quarter more for what is held out of them, and what of them comes to lie on a device that
/// may be this machine.
fn needed_bytes(images: usize, [channels, height, width]: [usize; 3]) -> u128 {
    let bytes = [channels, height, width].map(|n| n as u128).iter().product::<u128>() * images as u128;
    bytes * 5 / 4 + bytes.min(1 << 30)
}

/// Refuses more than the memory holds.
fn expect_room(set: &Path, images: usize, shape: [usize; 3]) -> Result<(), DataError> {
    let ([channels, height, width], free) = (shape, u128::from(gpu_core::free_bytes()));
    let needed = needed_bytes(images, shape);
    if needed <= free {
        return Ok(());
    }
    let fits = (1..=height).rev().find(|&side| needed_bytes(images, [channels, side, side]) <= free);
    let advice = fits.map_or_else(|| "take fewer of them".to_owned(), |side| format!("--image-size {side} fits"));
    let message = format!(
        "{images} pictures of {height} x {width} take {needed} bytes of memory, {free} are free: {advice}, or --in-memory off"
    );
    Err(DataError::Pictures { path: set.into(), message })
}

/// A picture that cannot be read, and why.
type Bad = (PathBuf, String);

/// The values of a picture's mask, or why the picture cannot be read.
type Look = Result<ValueSet, String>;

/// Pictures that can be read.
#[derive(Default)]
struct Kept {
    /// Among all, those of other splits too.
    rows: Vec<u32>,
    /// The row of the first of the split.
    first: usize,
    labels: Vec<u32>,
    files: Vec<PathBuf>,
    /// Of their masks.
    values: Vec<ValueSet>,
}

/// Parts pictures, the first of which has the row `first`, from those that cannot be read: these go to `bad`, in their order.
fn kept(pictures: Vec<Picture>, first: usize, looks: Vec<Look>, bad: &mut Vec<Bad>) -> Kept {
    let mut kept = Kept { first, ..Kept::default() };
    for (row, (picture, look)) in (first..).zip(pictures.into_iter().zip(looks)) {
        match look {
            Err(fault) => bad.push((picture.path, fault)),
            Ok(values) => {
                kept.values.push(values);
                kept.rows.push(row as u32);
                kept.labels.push(picture.label);
                kept.files.push(picture.name);
            }
        }
    }
    kept
}

impl Kept {
    /// With the images of the split, those that could not be read among them.
    fn held(self, mut images: Vec<u8>, shelf: &Shelf, shape: [usize; 3]) -> Part {
        let (row_bytes, bytes, mut masks) = (shelf.row_bytes(), shape.iter().product::<usize>(), Vec::new());
        for (to, row) in self.rows.iter().enumerate() {
            let from = (*row as usize - self.first) * row_bytes;
            masks.extend_from_slice(shelf.parted(&images[from..from + row_bytes]).1);
            images.copy_within(from..from + bytes, to * bytes);
        }
        images.truncate(self.rows.len() * bytes);
        let set = ImageSet::new(images, self.labels, shape).with_files(self.files);
        let set = if shelf.is_masked() { set.with_masks(masks) } else { set };
        Part { set, rows: self.rows, values: self.values }
    }

    fn shelved(self, shelf: &Arc<Shelf>, shape: [usize; 3]) -> Part {
        let set = ImageSet::shelved(shelf.clone(), self.rows.clone(), self.labels, shape).with_files(self.files);
        Part { set, rows: self.rows, values: self.values }
    }
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
