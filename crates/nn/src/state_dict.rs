//! Tensors by key, as checkpoints hold them and networks and optimisers take them.

use gpu_core::Shape;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// PyTorch's batch normalisation counts batches; nothing here needs the count.
pub(crate) const COUNT: &str = "num_batches_tracked";

/// A tensor in host memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Its extents.
    pub shape: Vec<usize>,
    /// Its elements.
    pub values: Vec<f32>,
}

impl Array {
    pub(crate) fn fits(&self, shape: Shape) -> bool {
        self.shape == shape.dims() && self.values.len() == shape.len()
    }
}

/// All keys that do not fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mismatch {
    /// Wanted, and not there.
    pub missing: Vec<String>,
    /// There, and not wanted.
    pub unexpected: Vec<String>,
    /// There with another shape: key, shape in the file, shape wanted.
    pub misshapen: Vec<String>,
}

impl Mismatch {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Refuses what does not fit; see [`of`](Self::of).
    pub(crate) fn between<'a>(
        wanted: impl Iterator<Item = (&'a str, Shape)>,
        found: &BTreeMap<String, Array>,
        ignore: impl Fn(&str) -> bool,
    ) -> Result<(), Self> {
        let mismatch = Self::of(wanted, found, ignore);
        if mismatch.is_empty() { Ok(()) } else { Err(mismatch) }
    }

    /// Holds what was found against what is wanted; keys that `ignore` knows may be there.
    pub(crate) fn of<'a>(
        wanted: impl Iterator<Item = (&'a str, Shape)>,
        found: &BTreeMap<String, Array>,
        ignore: impl Fn(&str) -> bool,
    ) -> Self {
        let (mut mismatch, mut known) = (Self::default(), BTreeSet::new());
        for (key, shape) in wanted {
            known.insert(key);
            match found.get(key) {
                None => mismatch.missing.push(key.to_owned()),
                Some(a) if !a.fits(shape) => {
                    mismatch.misshapen.push(format!("{key} ({:?} in the file, {shape} wanted)", a.shape));
                }
                Some(_) => {}
            }
        }
        let is_count = |key: &str| key.rsplit('.').next() == Some(COUNT);
        let others = found.keys().filter(|key| !known.contains(key.as_str()) && !ignore(key) && !is_count(key));
        mismatch.unexpected = others.cloned().collect();
        mismatch
    }
}

impl Mismatch {
    /// With `prefix` before the keys.
    pub(crate) fn under(self, prefix: &str) -> Self {
        let prefixed = |keys: Vec<String>| keys.into_iter().map(|key| format!("{prefix}{key}")).collect();
        Self { missing: prefixed(self.missing), unexpected: prefixed(self.unexpected), misshapen: prefixed(self.misshapen) }
    }

    /// The keys of each kind, a line for each that there is: the first two, and how many there are.
    pub fn lists(&self) -> String {
        let lists = [("missing", &self.missing), ("unexpected", &self.unexpected), ("of another shape", &self.misshapen)];
        let lists = lists.iter().filter(|(_, keys)| !keys.is_empty());
        lists.map(|(what, keys)| format!("\n  {what} ({}): {}", keys.len(), first(keys))).collect()
    }
}

/// Names that a message has room for, and how much of each.
const SHOWN: usize = 2;
const WIDEST: usize = 60;

fn first(keys: &[String]) -> String {
    let cut = |key: &String| match key.char_indices().nth(WIDEST) {
        Some((at, _)) => format!("{}…", &key[..at]),
        None => key.clone(),
    };
    let shown: Vec<String> = keys.iter().take(SHOWN).map(cut).collect();
    format!("{}{}", shown.join(", "), if keys.len() > SHOWN { ", ..." } else { "" })
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists = self.lists();
        write!(f, "it is of another network or optimizer:{lists}\nbuild the network that the file was saved from")
    }
}

impl std::error::Error for Mismatch {}
