//! A look into a trained network, once its run is over: its worst mistakes, its masks, what it looks at, its first filters, and its layers.
//!
//! It works on a network of its own, made from the run's checkpoints: not a bit of the run depends on it.

mod filters;
mod histogram;
mod layers;
mod maps;
mod masks;
mod mistakes;
mod png;

pub use filters::{Filter, Filters};
pub use histogram::Histogram;
pub use layers::{LayerRow, Layers};
pub use maps::{Looked, Maps};
pub use masks::ShownMask;
pub use mistakes::Shown;

use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::file;
use crate::model::{self, Trained};
use crate::per_image::{ImageRow, LabelTable, Table, read_table};
use crate::run_folder::RunFolder;
use crate::settings::Config;
use gpu_core::{Device, within_memory};
use mistakes::Row;
use nn::checkpoint::{Checkpoint, read_plain, write_atomically};
use nn::{Net, freeze, parameters};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::Path;

/// What was found in a network; pictures are PNG in base64.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inspection {
    /// Where it ran.
    pub device: String,
    /// The mistakes with the largest losses among the test images, the worst first.
    pub mistakes: Vec<Shown>,
    /// Some test images with their masks, where it tells the classes of pixels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub masks: Vec<ShownMask>,
    /// What it looks at in some test images; none where it tells no classes, or has no layer with places.
    pub maps: Option<Maps>,
    /// Its first filters; none without a convolution.
    pub filters: Option<Filters>,
    /// Its layers in a step of the training.
    pub layers: Layers,
}

impl Inspection {
    /// Of the network in a run's folder: mistakes, maps and filters by its best weights, or where there are none by the last ones, or
    /// their average if the run kept one; layers by the last. `data` is the run's, parted as for the run. Mistakes and maps are of the images
    /// in the folder's `test.csv`; where an image may have several labels, one that is told wrongly makes a mistake, and a map is that of
    /// the likeliest label. There are none where each pixel has a class.
    ///
    /// # Errors
    /// If a file of the run cannot be read or is of other images, the device does not fit a step of the training, or is at fault.
    pub fn of(folder: &RunFolder, config: &Config, data: &Dataset, device: &Device) -> Result<Self> {
        within_memory(|| Self::within_memory(folder, config, data, device))?
    }

    fn within_memory(folder: &RunFolder, config: &Config, data: &Dataset, device: &Device) -> Result<Self> {
        let (best, last, table) = (folder.best(), folder.last(), folder.test_table());
        let saved = model::read_checkpoint(&last)?;
        let trained = Trained::read(if best.is_file() { &best } else { &last }, device)?;
        if !best.is_file() {
            take_average(&saved, &trained.net);
        }
        trained.description.fits(&data.train, &data.name)?;
        for keys in config.frozen() {
            // They were checked when the run began.
            let _ = freeze(&trained.net, keys);
        }
        let rows = if table.is_file() { tested(&table, data)? } else { Vec::new() };
        let mistakes = mistakes::worst(&rows, &data.test)?;
        let maps = maps::of(&trained, &rows, &data.test, device)?;
        let masks = masks::of(&trained, &data.test, device)?;
        let filters = filters::of(&trained.net)?;
        saved.load_net(&trained.net).map_err(|e| model::about(&last, e))?;
        let layers = layers::of(&trained, config, &data.train, device)?;
        Ok(Self { device: device.name(), mistakes, masks, maps, filters, layers })
    }

    /// Reads a file that [`write`](Self::write) wrote.
    ///
    /// # Errors
    /// If it cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = read_plain(path, file::TEXT).map_err(Error::file("reading", path))?;
        serde_json::from_slice(&bytes).map_err(|e| Error::content(path, format!("this is not the inspection of a network: {e}")))
    }

    /// Writes it to a file.
    ///
    /// # Errors
    /// If that fails; an older file is then as it was.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_vec(self).expect("an inspection is JSON");
        write_atomically(path, |file| file.write_all(&text)).map_err(Error::file("writing", path))
    }
}

/// Gives a network the average of its weights, where the run kept one: it is what the test was of.
fn take_average(saved: &Checkpoint, net: &Net) {
    for (key, param) in parameters(net) {
        if let Some(average) = saved.arrays().get(&format!("optimizer.ema.{key}")) {
            param.set(&average.values);
        }
    }
}

/// The rows of a table of test images, which are those of `data`; none where each of their pixels has a class.
fn tested(path: &Path, data: &Dataset) -> Result<Vec<Row>> {
    let (labels, classes) = (data.test.labels(), data.classes.len());
    let fits = |row: &ImageRow| labels.get(row.image) == Some(&(row.label as u32)) && row.predicted_label < classes;
    match read_table(path)? {
        Table::Classes(rows) if rows.iter().all(fits) => Ok(rows.into_iter().map(Row::of_class).collect()),
        Table::Labels(table) if fits_labels(&table, data) => Ok(Row::of_labels(&table, labels)),
        Table::Pixels(_) if data.has_masks() => Ok(Vec::new()),
        _ => Err(Error::content(path, format!("this table is not of the test images of {}", data.name))),
    }
}

/// Whether the images of a table have the labels that those of the test have.
fn fits_labels(table: &LabelTable, data: &Dataset) -> bool {
    let Some(sets) = data.test.label_sets().filter(|_| table.classes == data.classes) else { return false };
    let has = |row: &[(f64, bool)]| (0..).zip(row).filter(|(_, one)| one.1).map(|(class, _)| class).collect::<Vec<u32>>();
    let labels = data.test.labels();
    table.rows.len() <= labels.len() && table.rows.iter().zip(labels).all(|(row, label)| has(row) == sets.of(*label))
}
