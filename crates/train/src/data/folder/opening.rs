//! How a set of pictures is opened.

use crate::photo::Reading;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;

/// Whether the images of a set lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum InMemory {
    /// Where they take no more than half of what is free.
    #[default]
    Auto,
    /// All of them, decoded when the set is opened.
    On,
    /// None: each is decoded when it is first asked for, and read from a file from then on.
    Off,
}

impl fmt::Display for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// How a set of pictures is opened.
#[derive(Clone, Copy)]
pub struct Opening<'a> {
    /// Channels, rows and columns of every image.
    pub shape: [usize; 3],
    /// What is done to a picture besides.
    pub reading: Reading,
    /// Whether they are decoded now, or when they are asked for.
    pub in_memory: InMemory,
    /// Whether pictures that cannot be read are left out. All are looked at for that when the set is opened, wherever they lie afterwards:
    /// one that is left out moves those behind it.
    pub skip_bad: bool,
    /// Where the images are kept for the next time.
    pub cache: Option<&'a Path>,
    /// Where they are kept if that is `None` and they do not lie in memory; each is decoded again whenever it is asked for if this is
    /// `None` too.
    pub spill: Option<&'a Path>,
    /// Is called once for every picture that is decoded while the set is opened, with how many there are; from many threads.
    pub progress: &'a (dyn Fn(usize) + Sync),
}

impl Opening<'_> {
    /// All pictures as images of this shape, in memory, and none left out.
    ///
    /// ```
    /// # use train::data::{InMemory, Opening, open_as};
    /// let opening = Opening { in_memory: InMemory::Off, skip_bad: true, ..Opening::of([3, 32, 32]) };
    /// assert!(open_as("no/such/folder", &opening).is_err());
    /// ```
    pub fn of(shape: [usize; 3]) -> Self {
        Self {
            shape,
            reading: Reading::default(),
            in_memory: InMemory::On,
            skip_bad: false,
            cache: None,
            spill: None,
            progress: &|_| {},
        }
    }
}
