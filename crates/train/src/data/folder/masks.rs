//! Pictures with masks: the folders `images/` and `masks/` beside one another, or both in `train/`, `val/` and `test/`; a picture and its mask
//! have one name, but for its ending.
//!
//! A mask is a PNG file whose values, grey values or places in a palette, are the numbers of the classes from 0 on, and 255 where a pixel has
//! none; where all masks of a set have the values 0 and 255 alone, those are two classes. `classes.txt` names the classes, one a line.

use super::found::{Found, PassedOver, Picture, VAL};
use super::walk::{Listing, gather, name_of, wrong};
use crate::data::error::DataError;
use crate::data::file;
use crate::photo::{KINDS, ValueSet};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The file that names the classes.
const NAMES: &str = "classes.txt";

/// The value of a pixel that has no class.
const IGNORED: u8 = nn::Loss::IGNORED as u8;

/// The folders of pictures and of their masks.
struct Sides {
    images: PathBuf,
    masks: PathBuf,
}

impl Sides {
    fn of(listing: &Listing) -> Option<Self> {
        Some(Self { images: named(listing, &["images"])?, masks: named(listing, &["masks"])? })
    }
}

fn named(listing: &Listing, names: &[&str]) -> Option<PathBuf> {
    listing.folders.iter().find(|folder| names.contains(&&*name_of(folder).to_lowercase())).cloned()
}

/// Whether there are pictures with masks below `root`.
pub(super) fn are_in(root: &Path) -> Result<bool, DataError> {
    let top = Listing::of(root)?;
    let train = named(&top, &["train"]).map(|train| Listing::of(&train)).transpose()?;
    Ok([Some(top), train].iter().flatten().any(|listing| Sides::of(listing).is_some()))
}

/// All pictures and their masks below `root`. That each has one is asked for unless what cannot be read is left out later.
pub(super) fn look(root: &Path, skip_bad: bool) -> Result<Found, DataError> {
    let mut found = Found { is_masked: true, classes: names(&root.join(NAMES))?, ..Found::default() };
    let top = Listing::of(root)?;
    let [train, val, test] = [&["train"][..], &VAL, &["test"]].map(|names| named(&top, names));
    if let Some(sides) = Sides::of(&top) {
        if let Some(split) = train.or(val).or(test) {
            return wrong(&split, "beside images/ and masks/ there are no splits: move those two into train/".into());
        }
        found.train = pairs(&sides, skip_bad, &mut found.passed_over)?;
        return Ok(found);
    }
    let of_split = |folder: Option<PathBuf>, passed_over: &mut PassedOver| -> Result<Option<Vec<Picture>>, DataError> {
        let Some(folder) = folder else { return Ok(None) };
        match Sides::of(&Listing::of(&folder)?) {
            Some(sides) => pairs(&sides, skip_bad, passed_over).map(Some),
            None => wrong(&folder, "images/ and masks/ are wanted in it, as in train/".into()),
        }
    };
    found.train = of_split(train, &mut found.passed_over)?.unwrap_or_default();
    found.val = of_split(val, &mut found.passed_over)?;
    found.test = of_split(test, &mut found.passed_over)?;
    Ok(found)
}

/// The names in a file, one a line; none where there is no such file.
fn names(path: &Path) -> Result<Vec<String>, DataError> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let Ok(text) = String::from_utf8(file::read(path)?) else { return wrong(path, "it is not UTF-8: save it as such".into()) };
    let names: Vec<String> = text.lines().map(|line| line.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    let mut seen = BTreeSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(name.to_lowercase())) {
        return wrong(path, format!("the class {twice} stands in it twice"));
    }
    match names.len() {
        2..=255 => Ok(names),
        count => wrong(path, format!("it names {count} classes: from 2 to 255 are wanted, one a line")),
    }
}

/// The pictures of a split, each with its mask.
fn pairs(sides: &Sides, skip_bad: bool, passed_over: &mut PassedOver) -> Result<Vec<Picture>, DataError> {
    let all = |folder: &Path, passed_over: &mut PassedOver| {
        let mut files = Vec::new();
        gather(folder, &mut Vec::new(), &mut files, passed_over).map(|()| files)
    };
    let stem = |folder: &Path, file: &Path| file.strip_prefix(folder).unwrap_or(file).with_extension("");
    let mut masks = BTreeMap::new();
    for mask in all(&sides.masks, passed_over)? {
        if !mask.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png")) {
            return wrong(&mask, "a mask is a PNG file: other kinds change the numbers of the classes".into());
        }
        if let Some(other) = masks.insert(stem(&sides.masks, &mask), mask.clone()) {
            return wrong(&mask, format!("{} is a mask of the same name", other.display()));
        }
    }
    let (mut pictures, mut taken) = (Vec::new(), BTreeMap::new());
    for path in all(&sides.images, passed_over)? {
        let stem = stem(&sides.images, &path);
        if let Some(other) = taken.insert(stem.clone(), path.clone()) {
            return wrong(&path, format!("{} has the same name but for its ending: a mask is of one picture", other.display()));
        }
        let mut wanted = sides.masks.join(&stem).into_os_string();
        wanted.push(".png");
        let mask = match masks.remove(&stem) {
            Some(mask) => mask,
            // It is told with the pictures that cannot be read.
            None if skip_bad => wanted.into(),
            None => {
                return wrong(
                    &path,
                    format!("it has no mask: there is no {} (--skip-bad leaves such pictures out)", Path::new(&wanted).display()),
                );
            }
        };
        let name = path.strip_prefix(&sides.images).unwrap_or(&path).to_path_buf();
        pictures.push(Picture { path, name, label: 0, mask: Some(mask) });
    }
    match masks.into_values().next() {
        _ if pictures.is_empty() => wrong(&sides.images, format!("there are no pictures in it ({KINDS})")),
        Some(mask) if !skip_bad => wrong(
            &mask,
            format!("there is no picture of this name in {} (--skip-bad leaves such masks out)", sides.images.display()),
        ),
        _ => Ok(pictures),
    }
}

/// The values of a mask that was read.
pub(super) struct Seen<'a> {
    pub mask: &'a Path,
    pub values: ValueSet,
    /// Whether it is learned from.
    pub is_learned: bool,
}

/// What the values of all masks stand for.
pub(super) struct Coding {
    pub classes: Vec<String>,
    /// Whether they are 0 and 255, for two classes.
    pub of_two: bool,
}

impl Coding {
    /// Of a set in the folder `root`, whose classes have these names, if any.
    pub fn of(root: &Path, names: Vec<String>, masks: &[Seen<'_>]) -> Result<Self, DataError> {
        let union = |learned: bool| {
            let some = masks.iter().filter(|seen| seen.is_learned || !learned);
            some.fold(ValueSet::default(), |all, seen| all.with(seen.values))
        };
        let (all, learned) = (union(false), union(true));
        let of_two = all.iter().all(|value| value == 0 || value == IGNORED) && all.has(IGNORED) && matches!(names.len(), 0 | 2);
        let is_class = |value: &u8| of_two || *value != IGNORED;
        let there: Vec<u8> = learned.iter().filter(is_class).collect();
        let ([.., largest], 2..) = (&there[..], there.len()) else {
            let values: Vec<String> = learned.iter().map(|value| value.to_string()).collect();
            return wrong(root, format!("the masks to learn from have no two classes: their values are {}", values.join(", ")));
        };
        if of_two {
            let classes = if names.is_empty() { ["background", "object"].map(str::to_owned).to_vec() } else { names };
            return Ok(Self { classes, of_two });
        }
        let count = if names.is_empty() { usize::from(*largest) + 1 } else { names.len() };
        for seen in masks {
            let past = seen.values.iter().find(|value| is_class(value) && usize::from(*value) >= count);
            match past {
                None if seen.values.iter().any(|value| is_class(&value)) => {}
                None => {
                    return wrong(
                        seen.mask,
                        format!("every pixel of it is {IGNORED}, which has no class: remove it and its picture"),
                    );
                }
                Some(value) if names.is_empty() => {
                    return wrong(
                        seen.mask,
                        format!("it has the value {value}, and no mask to learn from has one above {largest}"),
                    );
                }
                Some(value) => {
                    return wrong(seen.mask, format!("it has the value {value}, and {NAMES} names the classes 0 to {}", count - 1));
                }
            }
        }
        match (0..*largest).find(|value| !learned.has(*value)) {
            Some(value) if names.is_empty() => {
                let with = masks.iter().find(|seen| seen.values.has(*largest)).map_or(root, |seen| seen.mask);
                wrong(
                    with,
                    format!(
                        "it has the value {largest}, and no mask to learn from has {value}: values are the numbers of the classes from 0 on; \
                         name them in {NAMES}, one a line, if some of them have no pixel"
                    ),
                )
            }
            _ => {
                let numbers = || (0..count).map(|class| class.to_string()).collect();
                Ok(Self { classes: if names.is_empty() { numbers() } else { names }, of_two })
            }
        }
    }
}
