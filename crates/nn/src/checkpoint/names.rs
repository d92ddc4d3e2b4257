//! State dicts under the names of another program.

use super::{Array, Checkpoint, CheckpointError, Mismatch, OPTIMIZER};
use crate::autograd::{Parameters, parameters};
use std::path::Path;

/// What another program calls the layers of a network that have weights: `layer1.0.conv1` where the network here says `4.body.0`.
/// [`zoo::torchvision`](crate::zoo::torchvision) has those of torchvision's models.
///
/// ```
/// use gpu_core::Device;
/// use nn::{BatchNorm2d, Conv2d, Init, checkpoint::Names, seq};
/// let cx = Init::seeded(&Device::Cpu, 0);
/// let net = seq![Conv2d::new(&cx, 3, 8, 3), BatchNorm2d::new(&cx, 8)];
/// let names = Names::in_order(&net, ["conv1", "bn1"]).unwrap();
/// assert_eq!(names.theirs("1.running_var"), Some("bn1.running_var".to_owned()));
/// assert!(Names::in_order(&net, ["conv1"]).is_none());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Layers here and there, in the network's order.
    layers: Vec<[String; 2]>,
}

impl Names {
    /// For a network whose layers with weights are called `theirs`, in the order of the network; `None` if there are more or fewer.
    pub fn in_order<S: Into<String>>(net: &dyn Parameters, theirs: impl IntoIterator<Item = S>) -> Option<Self> {
        let mut ours: Vec<String> = parameters(net).iter().map(|(key, _)| split(key).0.to_owned()).collect();
        ours.dedup();
        let theirs: Vec<String> = theirs.into_iter().map(Into::into).collect();
        (ours.len() == theirs.len()).then(|| Self { layers: ours.into_iter().zip(theirs).map(Into::into).collect() })
    }

    /// The other program's key for a key of the network, if the network has such a layer.
    pub fn theirs(&self, key: &str) -> Option<String> {
        let (layer, leaf) = split(key);
        let [_, theirs] = self.layers.iter().find(|[ours, _]| ours == layer)?;
        Some(if theirs.is_empty() { leaf.to_owned() } else { format!("{theirs}.{leaf}") })
    }

    /// As [`theirs`](Self::theirs); a layer that has no other name keeps its own.
    fn or_ours(&self, key: &str) -> String {
        self.theirs(key).unwrap_or_else(|| key.to_owned())
    }
}

/// The layer and the name within it.
fn split(key: &str) -> (&str, &str) {
    key.rsplit_once('.').unwrap_or(("", key))
}

impl Checkpoint {
    /// With all parameters and buffers of a network, under `names`.
    ///
    /// # Errors
    /// A fault of the device.
    pub fn net_as(mut self, net: &dyn Parameters, names: &Names) -> Result<Self, CheckpointError> {
        for (key, param) in parameters(net) {
            let value = param.value();
            self.arrays.insert(names.or_ours(&key), Array { shape: value.shape().dims().to_vec(), values: value.to_vec()? });
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
        let wanted: Vec<_> = parameters(net).iter().map(|(key, p)| (names.or_ours(key), p.shape())).collect();
        let wanted = wanted.iter().map(|(key, shape)| (key.as_str(), *shape));
        Mismatch::of(wanted, &self.arrays, |key| key.starts_with(OPTIMIZER))
    }
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
