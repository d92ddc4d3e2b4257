//! The pictures of a set, as they are found: their files, their classes, and what each is for.

use crate::data::label_sets::LabelSets;
use crate::error::printable_name;
use std::path::PathBuf;

/// The pictures of a set, by what they are for.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The names of the classes; of pictures with masks, as far as a file names them.
    pub classes: Vec<String>,
    /// Whether the pictures have masks.
    pub is_masked: bool,
    /// What the labels of the pictures are the numbers of, where a picture may have several.
    pub sets: Option<LabelSets>,
    pub train: Vec<Picture>,
    /// None where the set says of none that it is for that.
    pub val: Option<Vec<Picture>>,
    pub test: Option<Vec<Picture>>,
    pub passed_over: PassedOver,
}

/// A picture and its class, or the number of its set of classes; where it has a mask, nothing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Picture {
    pub path: PathBuf,
    /// Below the folder of its split: its name, wherever the whole lies.
    pub name: PathBuf,
    pub label: u32,
    /// The class of each pixel.
    pub mask: Option<PathBuf>,
}

/// Files that are no pictures: how many, and one of them.
#[derive(Debug, Default)]
pub(super) struct PassedOver {
    pub count: usize,
    pub first: Option<PathBuf>,
}

impl PassedOver {
    pub fn add(&mut self, path: PathBuf) {
        self.count += 1;
        self.first.get_or_insert(path);
    }

    /// In words; nothing where there are none.
    pub fn remark(&self) -> Option<String> {
        let first = self.first.as_ref()?;
        let first = printable_name(&first.file_name().unwrap_or(first.as_os_str()).to_string_lossy());
        Some(match self.count {
            1 => format!("1 file that is no picture by its name was passed over: {first}"),
            count => format!("{count} files that are no pictures by their names were passed over: {first}, ..."),
        })
    }
}

/// The names of the folders, and in tables the words, for the images that the best weights are chosen by.
pub(super) const VAL: [&str; 3] = ["val", "valid", "validation"];

/// One picture of each class in turn: so the first few of a set are of all classes.
pub(super) fn in_turn(by_class: Vec<Vec<Picture>>) -> Vec<Picture> {
    let mut in_turn: Vec<(usize, Picture)> = by_class.into_iter().flat_map(|class| class.into_iter().enumerate()).collect();
    // Stable: within a turn the classes stay in their order.
    in_turn.sort_by_key(|(turn, _)| *turn);
    in_turn.into_iter().map(|(_, picture)| picture).collect()
}
