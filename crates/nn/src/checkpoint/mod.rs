//! Checkpoints: safetensors files with PyTorch's key names and layouts.
//!
//! A file is written under a temporary name, brought to the disk, and renamed: whatever happens, there is an old file or a new
//! one. The same state gives the same bytes. What is read is checked as a whole before anything is loaded.

mod atomic;
mod error;
mod format;
mod names;
#[cfg(test)]
mod tests;

pub use crate::state_dict::{Array, Mismatch};
pub use atomic::write_atomically;
pub use error::CheckpointError;
pub use names::{Names, load_state_dict, save_state_dict};

use crate::autograd::Parameters;
use crate::optim::Optimizer;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// What the keys of an optimiser's tensors begin with.
const OPTIMIZER: &str = "optimizer.";

/// What a file holds: tensors by key, and notes (the metadata of the safetensors format).
///
/// ```
/// use gpu_core::Device;
/// use nn::{Checkpoint, Init, Linear, Sgd, seq};
/// let net = |seed| { let cx = Init::seeded(&Device::Cpu, seed); seq![Linear::new(&cx, 3, 2)] };
/// let (trained, other) = (net(1), net(2));
/// let bytes = Checkpoint::new().net(&trained)?.optimizer(&Sgd::new(&trained, 0.1))?.note("epoch", "7").to_bytes();
///
/// let read = Checkpoint::from_bytes(&bytes)?;
/// read.load_net(&other)?;
/// read.load_optimizer(&Sgd::new(&other, 0.1))?;
/// assert_eq!(read.note_of("epoch"), Some("7"));
/// assert_eq!(Checkpoint::new().net(&other)?.arrays(), Checkpoint::new().net(&trained)?.arrays());
/// # Ok::<(), nn::CheckpointError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checkpoint {
    arrays: BTreeMap<String, Array>,
    notes: BTreeMap<String, String>,
}

impl Checkpoint {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// With all parameters and buffers of a network.
    ///
    /// # Errors
    /// A fault of the device.
    pub fn net(self, net: &dyn Parameters) -> Result<Self, CheckpointError> {
        self.net_as(net, &Names::default())
    }

    /// With an optimiser's state, under `optimizer.`.
    ///
    /// # Errors
    /// A fault of the device.
    pub fn optimizer(mut self, optimizer: &dyn Optimizer) -> Result<Self, CheckpointError> {
        for (key, value) in optimizer.state() {
            let array = Array { shape: value.shape().dims().to_vec(), values: value.to_vec()? };
            self.arrays.insert(format!("{OPTIMIZER}{key}"), array);
        }
        Ok(self)
    }

    /// With a note: an epoch, the layer list, whatever is text.
    pub fn note(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.notes.insert(key.into(), value.into());
        self
    }

    /// The note under `key`.
    pub fn note_of(&self, key: &str) -> Option<&str> {
        self.notes.get(key).map(String::as_str)
    }

    /// All tensors, sorted by key.
    pub fn arrays(&self) -> &BTreeMap<String, Array> {
        &self.arrays
    }

    /// Overwrites the parameters and buffers of `net`, where they lie. The keys must be the network's, all of them and no
    /// others; an optimiser's state and PyTorch's `num_batches_tracked` are passed over.
    ///
    /// # Errors
    /// With all keys that are missing, unexpected or of another shape; nothing is loaded then.
    pub fn load_net(&self, net: &dyn Parameters) -> Result<(), CheckpointError> {
        self.load_net_as(net, &Names::default())
    }

    /// Overwrites the state of `optimizer`.
    ///
    /// # Errors
    /// With all keys that are missing, unexpected or of another shape; nothing is loaded then.
    pub fn load_optimizer(&self, optimizer: &dyn Optimizer) -> Result<(), CheckpointError> {
        let mine = self.arrays.iter().filter_map(|(key, a)| Some((key.strip_prefix(OPTIMIZER)?.to_owned(), a.clone())));
        Ok(optimizer.load_state(&mine.collect()).map_err(|e| e.under(OPTIMIZER))?)
    }

    /// The file's bytes: a function of the content alone.
    pub fn to_bytes(&self) -> Vec<u8> {
        format::write(&self.arrays, &self.notes)
    }

    /// From a file's bytes.
    ///
    /// # Errors
    /// If they are no safetensors file, or a tensor in it holds no floats.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let (arrays, notes) = format::read(bytes)?;
        Ok(Self { arrays, notes })
    }

    /// Writes the file, or leaves the old one as it is.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), CheckpointError> {
        let (path, bytes) = (path.as_ref(), self.to_bytes());
        write_atomically(path, |file| file.write_all(&bytes))
            .map_err(|source| CheckpointError::Write { path: path.to_owned(), source })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, or holds no checkpoint.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, CheckpointError> {
        let path = path.as_ref();
        let bytes = format::read_file(path).map_err(|e| e.in_file(path))?;
        Self::from_bytes(&bytes).map_err(|e| e.in_file(path))
    }
}

/// Writes a network's parameters and buffers to a file that PyTorch reads too.
///
/// # Errors
/// A fault of the device, or of the file system; the old file is as it was then.
pub fn save(net: &dyn Parameters, path: impl AsRef<Path>) -> Result<(), CheckpointError> {
    Checkpoint::new().net(net)?.write(path)
}

/// Reads a file that [`save`], [`Checkpoint::write`] or PyTorch wrote into a network, where its parameters lie.
///
/// # Errors
/// If it cannot be read, or does not fit the network; nothing is loaded then.
pub fn load(net: &dyn Parameters, path: impl AsRef<Path>) -> Result<(), CheckpointError> {
    let path = path.as_ref();
    Checkpoint::read(path)?.load_net(net).map_err(|e| e.in_file(path))
}
