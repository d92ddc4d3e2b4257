//! Checkpoints: safetensors files with PyTorch's key names and layouts.
//!
//! A file is written under a temporary name, brought to the disk, and renamed: whatever happens, there is an old file or a new
//! one. The same state gives the same bytes. What is read is checked as a whole before anything is loaded: a file has a checksum, so that
//! one flipped bit anywhere in it is refused; files without one, of other programs and older versions, are read too.

mod atomic;
mod checksum;
mod contents;
mod error;
mod format;
mod names;
mod plain;
#[cfg(test)]
mod tests;
#[cfg(feature = "pth")]
mod torch;

pub use crate::state_dict::{Array, Mismatch};
pub use atomic::{expect_writable, sweep, write_atomically};
pub use contents::Checkpoint;
pub use error::CheckpointError;
pub use names::Names;
pub use plain::read_plain;

use crate::autograd::Parameters;
use std::path::Path;

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

/// Reads a state dict that another program wrote under `names`, PyTorch for one, into a network, where its parameters lie.
///
/// ```no_run
/// use gpu_core::Device;
/// use nn::{Init, checkpoint, zoo};
/// let net = zoo::build("resnet18", &Init::seeded(&Device::Cpu, 0), [3, 224, 224].into(), 1000)?;
/// // In Python: safetensors.torch.save_file(torchvision.models.resnet18(weights="DEFAULT").state_dict(), "resnet18.safetensors")
/// let names = zoo::torchvision("resnet18", &net).expect("torchvision has a ResNet-18");
/// checkpoint::load_state_dict(&net, "resnet18.safetensors", &names)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If it cannot be read, or does not fit the network: with all keys that are missing, unexpected or of another shape. Nothing is loaded
/// then; [`Checkpoint::load_what_fits`] is less strict.
pub fn load_state_dict(net: &dyn Parameters, path: impl AsRef<Path>, names: &Names) -> Result<(), CheckpointError> {
    let path = path.as_ref();
    Checkpoint::read(path)?.load_net_as(net, names).map_err(|e| e.in_file(path))
}

/// Writes a network's parameters and buffers under `names`, for another program.
///
/// # Errors
/// A fault of the device, or of the file system; the old file is as it was then.
pub fn save_state_dict(net: &dyn Parameters, path: impl AsRef<Path>, names: &Names) -> Result<(), CheckpointError> {
    Checkpoint::new().net_as(net, names)?.write(path)
}
