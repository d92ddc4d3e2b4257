//! Which files of a folder are pictures of which class. The order is that of the names, never the system's.

use super::found::{Found, PassedOver, Picture, VAL, in_turn};
use crate::data::error::DataError;
use crate::photo::{KINDS, is_named_so};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders within folders that are looked into.
const DEEPEST: usize = 32;

/// Whether there are folders below `root` that hold a picture, somewhere.
pub(in crate::data) fn is_in(root: &Path) -> bool {
    fn holds(folder: &Path, depth: usize) -> bool {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut seen = entries.filter(|path| !is_hidden(path));
        seen.any(|path| is_named_so(&path) && !path.is_dir() || depth > 0 && path.is_dir() && holds(&path, depth - 1))
    }
    holds(root, 4)
}

/// Everything below `root`: class folders, or those of the splits with class folders in them.
pub(super) fn look(root: &Path) -> Result<Found, DataError> {
    let mut found = Found::default();
    let top = Listing::of(root)?;
    let named =
        |names: &[&str]| top.folders.iter().filter(|folder| names.contains(&&*name_of(folder).to_lowercase())).collect::<Vec<_>>();
    let splits = |names: &[&str]| -> Result<Option<PathBuf>, DataError> {
        let mut with_classes = Vec::new();
        for folder in named(names) {
            if !Listing::of(folder)?.folders.is_empty() {
                with_classes.push(folder.clone());
            }
        }
        match with_classes.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one.clone())),
            [one, other, ..] => wrong(other, format!("it is for the same as {}: join the two", one.display())),
        }
    };
    let (train, val, test) = (splits(&["train"])?, splits(&VAL)?, splits(&["test"])?);
    let Some(train) = train else {
        if let Some(folder) = val.or(test) {
            return wrong(root, format!("it has {} and no train/ with class folders in it", name_of(&folder)));
        }
        // The folders are the classes.
        for file in top.files {
            match is_named_so(&file) {
                true => {
                    return wrong(
                        &file,
                        "this picture lies in no class folder: move it into one, as in cat/1.jpg, or name a table (.csv)".into(),
                    );
                }
                false => found.passed_over.add(file),
            }
        }
        let classes = classes_of(top.folders)?;
        found.train = pictures(root, classes.values().enumerate(), &mut found.passed_over)?;
        found.classes = classes.into_keys().collect();
        return Ok(found);
    };
    let of_no_split =
        |folder: &PathBuf| Some(folder) != Some(&train) && Some(folder) != val.as_ref() && Some(folder) != test.as_ref();
    if let Some(other) = top.folders.iter().find(|folder| of_no_split(folder)) {
        return wrong(
            other,
            format!("beside {} there may be val/ and test/ alone: if this is a class, so would train be", name_of(&train)),
        );
    }
    top.files.into_iter().for_each(|file| found.passed_over.add(file));
    let classes = classes_of(Listing::of(&train)?.folders)?;
    found.train = pictures(&train, classes.values().enumerate(), &mut found.passed_over)?;
    for (folder, into) in [(val, &mut found.val), (test, &mut found.test)] {
        if let Some(folder) = folder {
            let own = classes_of(Listing::of(&folder)?.folders)?;
            let label = |class: &String| classes.keys().position(|known| known == class);
            if let Some((_, path)) = own.iter().find(|(class, _)| label(class).is_none()) {
                return wrong(path, format!("{} has no class of this name", train.display()));
            }
            let labelled = own.iter().filter_map(|(class, path)| Some((label(class)?, path)));
            *into = Some(pictures(&folder, labelled, &mut found.passed_over)?);
        }
    }
    found.classes = classes.into_keys().collect();
    Ok(found)
}

pub(super) fn wrong<T>(path: &Path, message: String) -> Result<T, DataError> {
    Err(DataError::Pictures { path: path.into(), message })
}

pub(super) fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// What systems leave in folders.
fn is_hidden(path: &Path) -> bool {
    let name = name_of(path).to_lowercase();
    name.starts_with('.') || ["thumbs.db", "desktop.ini", "__macosx"].contains(&&*name)
}

/// What lies right in a folder, but for what is hidden, each in the order of the names.
pub(super) struct Listing {
    pub folders: Vec<PathBuf>,
    pub files: Vec<PathBuf>,
}

impl Listing {
    pub fn of(folder: &Path) -> Result<Self, DataError> {
        let unreadable = |source| DataError::Read { path: folder.into(), source };
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            paths.push(entry.map_err(unreadable)?.path());
        }
        paths.retain(|path| !is_hidden(path));
        paths.sort();
        let (folders, files) = paths.into_iter().partition(|path| path.is_dir());
        Ok(Self { folders, files })
    }
}

/// The classes by their names, each with its folder.
fn classes_of(folders: Vec<PathBuf>) -> Result<BTreeMap<String, PathBuf>, DataError> {
    let (mut classes, mut spelled) = (BTreeMap::new(), BTreeMap::<String, PathBuf>::new());
    for folder in folders {
        let Some(name) = folder.file_name().and_then(|name| name.to_str()) else {
            return wrong(&folder, "the name of a class must be UTF-8: rename this folder".into());
        };
        if let Some(other) = spelled.insert(name.to_lowercase(), folder.clone()) {
            return wrong(
                &folder,
                format!("{} is the same name but for capitals: put the pictures of a class in one folder", name_of(&other)),
            );
        }
        classes.insert(name.to_owned(), folder);
    }
    Ok(classes)
}

/// The pictures of each class, in turn.
fn pictures<'a>(
    root: &Path,
    classes: impl Iterator<Item = (usize, &'a PathBuf)>,
    passed_over: &mut PassedOver,
) -> Result<Vec<Picture>, DataError> {
    let mut by_class = Vec::new();
    for (label, folder) in classes {
        let mut paths = Vec::new();
        gather(folder, &mut Vec::new(), &mut paths, passed_over)?;
        if paths.is_empty() {
            return wrong(folder, format!("this class has no pictures ({KINDS}): remove the folder, or fill it"));
        }
        let picture = |path: PathBuf| {
            let name = path.strip_prefix(root).unwrap_or(&path).to_path_buf();
            Picture { path, name, label: label as u32, mask: None }
        };
        by_class.push(paths.into_iter().map(picture).collect());
    }
    Ok(in_turn(by_class))
}

/// The pictures in a folder and those below it; `above` are the folders on the way, as they really are.
pub(super) fn gather(
    folder: &Path,
    above: &mut Vec<PathBuf>,
    into: &mut Vec<PathBuf>,
    passed_over: &mut PassedOver,
) -> Result<(), DataError> {
    let real = fs::canonicalize(folder).map_err(|source| DataError::Read { path: folder.into(), source })?;
    if above.contains(&real) || above.len() > DEEPEST {
        return wrong(folder, "this folder leads back to one above it: remove the link".into());
    }
    above.push(real);
    let listing = Listing::of(folder)?;
    for file in listing.files {
        match is_named_so(&file) {
            true => into.push(file),
            false => passed_over.add(file),
        }
    }
    for below in listing.folders {
        gather(&below, above, into, passed_over)?;
    }
    above.pop();
    Ok(())
}
