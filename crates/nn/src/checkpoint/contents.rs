//! What a checkpoint holds.

use super::atomic::write_atomically;
use super::error::CheckpointError;
use super::format;
use super::names::Names;
use crate::autograd::{Param, Parameters, join, parameters};
use crate::optim::Optimizer;
use crate::state_dict::{Array, Mismatch};
use gpu_core::Tensor;
use std::collections::BTreeMap;
use std::path::Path;

/// What the keys of an optimiser's tensors begin with.
const OPTIMIZER: &str = "optimizer.";

/// The note that has an optimiser's steps: their tensor is a float, which does not count beyond 2^24.
fn steps_of(name: &str) -> String {
    format!("{OPTIMIZER}{}", join(name, "steps"))
}

/// What a file holds: tensors by key, and notes (the metadata of the safetensors format).
///
/// ```
/// use gpu_core::Device;
/// use nn::{Checkpoint, Init, Layer, Linear, Sgd, seq};
/// let net = |seed| seq![Linear::new(2)].build(&Init::seeded(&Device::Cpu, seed), [3]);
/// let (trained, other) = (net(1)?, net(2)?);
/// let bytes = Checkpoint::new().net(&trained)?.optimizer(&Sgd::new(&trained, 0.1))?.note("epoch", "7").to_bytes();
///
/// let read = Checkpoint::from_bytes(&bytes)?;
/// read.load_net(&other)?;
/// read.load_optimizer(&Sgd::new(&other, 0.1))?;
/// assert_eq!(read.note_of("epoch"), Some("7"));
/// assert_eq!(Checkpoint::new().net(&other)?.arrays(), Checkpoint::new().net(&trained)?.arrays());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checkpoint {
    pub(super) arrays: BTreeMap<String, Array>,
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
    /// If one of the keys is taken, or a fault of the device.
    pub fn net(self, net: &dyn Parameters) -> Result<Self, CheckpointError> {
        self.net_as(net, &Names::default())
    }

    /// With an optimiser's state, under `optimizer.`.
    ///
    /// # Errors
    /// If one of the keys is taken, or a fault of the device.
    pub fn optimizer(self, optimizer: &dyn Optimizer) -> Result<Self, CheckpointError> {
        self.optimizer_under("", optimizer)
    }

    /// With all parameters and buffers of one of several networks: `name` and a full stop stand before their keys.
    ///
    /// ```
    /// use gpu_core::Device;
    /// use nn::{Adam, Checkpoint, Init, Layer, Linear};
    /// let cx = Init::seeded(&Device::Cpu, 0);
    /// let (generator, critic) = (Linear::new(2).build(&cx, [2])?, Linear::new(1).build(&cx, [2])?);
    /// let adam = Adam::new(&critic, 1e-3);
    /// let saved = Checkpoint::new().net_under("generator", &generator)?.net_under("critic", &critic)?;
    /// let saved = saved.optimizer_under("critic", &adam)?;
    ///
    /// saved.load_net_under("generator", &generator)?;
    /// saved.load_net_under("critic", &critic)?;
    /// saved.load_optimizer_under("critic", &adam)?;
    /// assert_eq!(saved.net_under("critic", &critic).unwrap_err().to_string(), "the checkpoint has a tensor critic.weight already; save it under another name");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If one of the keys is taken, or a fault of the device.
    pub fn net_under(mut self, name: &str, net: &dyn Parameters) -> Result<Self, CheckpointError> {
        for (key, param) in parameters(net) {
            self.insert(join(name, &key), &param.value())?;
        }
        Ok(self)
    }

    /// With the state of one of several optimisers; see [`net_under`](Self::net_under).
    ///
    /// # Errors
    /// If one of the keys is taken, or a fault of the device.
    pub fn optimizer_under(mut self, name: &str, optimizer: &dyn Optimizer) -> Result<Self, CheckpointError> {
        for (key, value) in optimizer.state() {
            self.insert(format!("{OPTIMIZER}{}", join(name, &key)), &value)?;
        }
        Ok(self.note(steps_of(name), optimizer.steps().to_string()))
    }

    fn insert(&mut self, key: String, value: &Tensor) -> Result<(), CheckpointError> {
        if self.arrays.contains_key(&key) {
            return Err(CheckpointError::Taken(key));
        }
        self.arrays.insert(key, Array { shape: value.shape().dims().to_vec(), values: value.to_vec()? });
        Ok(())
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

    /// The first tensor with a value that is infinite or not a number, and that value: what a run that diverged leaves.
    ///
    /// ```
    /// use gpu_core::{Device, Tensor};
    /// use nn::{Checkpoint, Param};
    /// let param = Param::trainable(Tensor::from_slice(&Device::Cpu, [2], &[1.0, f32::INFINITY]));
    /// assert_eq!(Checkpoint::new().net_under("w", &param)?.not_finite(), Some(("w.", f32::INFINITY)));
    /// # Ok::<(), nn::CheckpointError>(())
    /// ```
    pub fn not_finite(&self) -> Option<(&str, f32)> {
        self.arrays.iter().find_map(|(key, array)| Some((key.as_str(), *array.values.iter().find(|v| !v.is_finite())?)))
    }

    /// With `prefix` left out of every key that begins with it, as `module.`, which PyTorch's `DataParallel` puts before each.
    ///
    /// # Errors
    /// If no key begins with it, or a key without it is there already.
    pub fn strip_prefix(self, prefix: &str) -> Result<Self, CheckpointError> {
        if !self.arrays.keys().any(|key| key.starts_with(prefix)) {
            return Err(CheckpointError::NoPrefix(prefix.to_owned()));
        }
        let mut arrays = BTreeMap::new();
        for (key, array) in self.arrays {
            let key = key.strip_prefix(prefix).map(str::to_owned).unwrap_or(key);
            if arrays.contains_key(&key) {
                return Err(CheckpointError::Taken(key));
            }
            arrays.insert(key, array);
        }
        Ok(Self { arrays, ..self })
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
        self.load_optimizer_under("", optimizer)
    }

    /// Overwrites the parameters and buffers of one of several networks, by the keys that begin with `name`.
    ///
    /// # Errors
    /// With all keys that are missing, unexpected or of another shape; nothing is loaded then.
    pub fn load_net_under(&self, name: &str, net: &dyn Parameters) -> Result<(), CheckpointError> {
        let prefix = join(name, "");
        let part = Self { arrays: self.part(&prefix), ..Self::default() };
        part.load_net(net).map_err(|error| match error {
            CheckpointError::Mismatch(mismatch) => mismatch.under(&prefix).into(),
            other => other,
        })
    }

    /// Overwrites the state of one of several optimisers.
    ///
    /// # Errors
    /// With all keys that are missing, unexpected or of another shape; nothing is loaded then.
    pub fn load_optimizer_under(&self, name: &str, optimizer: &dyn Optimizer) -> Result<(), CheckpointError> {
        let prefix = if name.is_empty() { OPTIMIZER.to_owned() } else { format!("{OPTIMIZER}{name}.") };
        optimizer.load_state(&self.part(&prefix)).map_err(|mismatch| mismatch.under(&prefix))?;
        if let Some(steps) = self.note_of(&steps_of(name)).and_then(|steps| steps.parse().ok()) {
            optimizer.count_exactly(steps);
        }
        Ok(())
    }

    /// The tensors whose keys begin with `prefix`, without it.
    fn part(&self, prefix: &str) -> BTreeMap<String, Array> {
        self.arrays.iter().filter_map(|(key, a)| Some((key.strip_prefix(prefix)?.to_owned(), a.clone()))).collect()
    }

    /// The file's bytes: a function of the content alone.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        format::write(&self.arrays, &self.notes, &mut bytes).expect("a list takes all bytes");
        bytes
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
        let path = path.as_ref();
        write_atomically(path, |file| format::write(&self.arrays, &self.notes, file))
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

    /// With all parameters and buffers of a network, under `names`.
    ///
    /// # Errors
    /// If one of the keys is taken, or a fault of the device.
    pub fn net_as(mut self, net: &dyn Parameters, names: &Names) -> Result<Self, CheckpointError> {
        for (key, param) in parameters(net) {
            self.insert(names.or_ours(&key), &param.value())?;
        }
        Ok(self)
    }

    /// As [`load_net`](Self::load_net), from tensors under `names`.
    ///
    /// # Errors
    /// With all keys that are missing, unexpected or of another shape, as the file has them; nothing is loaded then.
    pub fn load_net_as(&self, net: &dyn Parameters, names: &Names) -> Result<(), CheckpointError> {
        let mismatch = self.mismatch(net, names);
        if !mismatch.is_empty() {
            return Err(CheckpointError::Mismatch(mismatch));
        }
        self.load_what_fits(net, names).map(|_| ())
    }

    /// Overwrites those parameters and buffers of `net` that the checkpoint has with the same shape, and says what was passed over:
    /// to begin from a network with another head.
    ///
    /// # Errors
    /// If nothing fits at all: the names are not the file's then.
    pub fn load_what_fits(&self, net: &dyn Parameters, names: &Names) -> Result<Mismatch, CheckpointError> {
        let mismatch = self.mismatch(net, names);
        let mut loaded = 0;
        for (key, param) in parameters(net) {
            if let Some(array) = self.arrays.get(&names.or_ours(&key)).filter(|a| a.fits(param.shape())) {
                param.set(&array.values);
                loaded += 1;
            }
        }
        if loaded == 0 && !mismatch.missing.is_empty() { Err(CheckpointError::Mismatch(mismatch)) } else { Ok(mismatch) }
    }

    fn mismatch(&self, net: &dyn Parameters, names: &Names) -> Mismatch {
        let params: Vec<_> = parameters(net).into_iter().map(|(key, param)| (names.or_ours(&key), param)).collect();
        let is_here = |key: &str| self.arrays.contains_key(key);
        // Of the keys of one shared parameter, PyTorch's safetensors keep one.
        let is_shared = |param: &Param| params.iter().any(|(key, other)| other.id() == param.id() && is_here(key));
        let wanted = params.iter().filter(|(key, param)| is_here(key) || !is_shared(param));
        let wanted = wanted.map(|(key, param)| (key.as_str(), param.shape()));
        Mismatch::of(wanted, &self.arrays, |key| key.starts_with(OPTIMIZER))
    }
}
