//! A run as a page shows it.

use super::tested::Tested;
use crate::error::Result;
use crate::inspect::Inspection;
use crate::run_folder::{INSPECTION, LR_BY_HAND, Record, TEST_TABLE};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// Records of a kind that a page shows: more than a screen has pixels.
const MOST: usize = 2000;

/// What a page shows of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Run {
    pub name: String,
    pub settings: BTreeMap<String, Value>,
    pub log: Vec<Map<String, Value>>,
    pub tested: Option<Tested>,
    /// What was found in the network; on a page of one run alone.
    pub inspection: Option<Inspection>,
}

impl Run {
    /// From its folder.
    ///
    /// # Errors
    /// If it is not that of a run.
    pub fn read(folder: &Path) -> Result<Self> {
        let Record { name, settings, log } = Record::read(folder)?;
        let (steps, others): (Vec<_>, Vec<_>) = log.into_iter().partition(|record| record.contains_key("lr"));
        let (by_hand, others): (Vec<_>, Vec<_>) = others.into_iter().partition(|record| record.contains_key(LR_BY_HAND));
        let log = [steps, by_hand, others].into_iter().flat_map(thinned).collect();
        Ok(Self { name, settings, log, tested: Tested::read(&folder.join(TEST_TABLE))?, inspection: None })
    }

    /// With what was found in the network, where the folder has that.
    ///
    /// # Errors
    /// If the file is something else.
    pub fn with_inspection(self, folder: &Path) -> Result<Self> {
        let path = folder.join(INSPECTION);
        let inspection = path.is_file().then(|| Inspection::read(&path)).transpose()?;
        Ok(Self { inspection, ..self })
    }
}

/// At most so many, evenly, the last among them.
fn thinned<T>(records: Vec<T>) -> Vec<T> {
    let (count, stride) = (records.len(), records.len().div_ceil(MOST).max(1));
    records.into_iter().enumerate().filter(|(i, _)| (count - 1 - i).is_multiple_of(stride)).map(|(_, record)| record).collect()
}
