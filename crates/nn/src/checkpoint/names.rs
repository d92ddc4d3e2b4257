//! What another program calls the layers of a network.

use crate::autograd::{Parameters, parameters};

/// What another program calls the layers of a network that have weights: `layer1.0.conv1` where the network here says `4.body.0`.
/// [`zoo::torchvision`](crate::zoo::torchvision) has those of torchvision's models.
///
/// ```
/// use gpu_core::Device;
/// use nn::{BatchNorm2d, Conv2d, Init, Layer, checkpoint::Names, seq};
/// let net = seq![Conv2d::new(8, 3), BatchNorm2d::new()].build(&Init::seeded(&Device::Cpu, 0), [3, 8, 8])?;
/// let names = Names::in_order(&net, ["conv1", "bn1"]).unwrap();
/// assert_eq!(names.theirs("1.running_var"), Some("bn1.running_var".to_owned()));
/// assert!(Names::in_order(&net, ["conv1"]).is_none());
/// # Ok::<(), nn::BuildError>(())
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
    pub(super) fn or_ours(&self, key: &str) -> String {
        self.theirs(key).unwrap_or_else(|| key.to_owned())
    }
}

/// The layer and the name within it.
fn split(key: &str) -> (&str, &str) {
    key.rsplit_once('.').unwrap_or(("", key))
}
