//! Images to train on: CIFAR-10, CIFAR-100 and MNIST from disk, folders and tables of pictures, or a set made by code.
//!
//! Pixels stay bytes here; a training step normalises them as `(x / 255 - mean[c]) / std[c]`.

pub mod builtin;

mod cifar;
mod dataset;
mod error;
mod file;
mod files;
mod folder;
mod images;
mod label_sets;
mod mnist;
mod moments;
mod open;
pub(crate) mod random;
mod sampler;
mod shelf;
mod shuffle;
mod split;
mod survey;
mod watermark;

#[cfg(test)]
mod test_folder;

pub use dataset::Dataset;
pub use error::DataError;
pub(crate) use folder::unkept;
pub use folder::{InMemory, Opened, Opening};
pub use images::ImageSet;
pub use label_sets::LabelSets;
pub use open::{SIDE, open, open_as, open_coarse};
pub use sampler::Sampler;
pub use shuffle::{batches, shuffled};
pub use split::{Amount, Split};
pub use survey::{Place, Survey};
pub use watermark::Watermark;
