//! What has parameters, each with its key.

use super::param::Param;
use std::collections::HashSet;

/// What has parameters: a layer, a network, or a struct of several networks. What only saves, loads, counts or updates parameters asks
/// for this alone. Equivalent of `torch.nn.Module.named_parameters` and `named_buffers`.
///
/// For a struct of one's own, [`parameters!`](crate::parameters!) writes the implementation.
#[diagnostic::on_unimplemented(note = "a layer is a description; `build` makes the network, which has parameters")]
pub trait Parameters: Send + Sync {
    /// Shows `f` every parameter and buffer with its key: PyTorch's names, with `path` before them. Always in the same order.
    fn visit(&self, _path: &str, _f: &mut dyn FnMut(&str, &Param)) {}
}

/// Implements [`Parameters`] for a struct by its fields, each of which has parameters itself; the field's name stands before its keys,
/// as in PyTorch.
///
/// ```
/// use gpu_core::{Device, Tensor};
/// use nn::{Init, Layer, Linear, Net, Param, parameters, seq};
/// struct Autoencoder {
///     encoder: Net,
///     decoder: Net,
///     temperature: Param,
/// }
/// parameters!(Autoencoder { encoder, decoder, temperature });
///
/// let cx = Init::seeded(&Device::Cpu, 0);
/// let temperature = Param::trainable(Tensor::full(&Device::Cpu, [1], 1.0));
/// let (encoder, decoder) = (seq![Linear::new(2)].build(&cx, [8])?, seq![Linear::new(8)].build(&cx, [2])?);
/// let net = Autoencoder { encoder, decoder, temperature };
/// let keys: Vec<String> = parameters(&net).into_iter().map(|(key, _)| key).collect();
/// assert_eq!(keys, ["encoder.0.weight", "encoder.0.bias", "decoder.0.weight", "decoder.0.bias", "temperature"]);
/// # Ok::<(), nn::BuildError>(())
/// ```
#[macro_export]
macro_rules! parameters {
    ($type:ty { $($field:ident),* $(,)? }) => {
        impl $crate::Parameters for $type {
            fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &$crate::Param)) {
                $($crate::Parameters::visit(&self.$field, &$crate::join(path, stringify!($field)), f);)*
            }
        }
    };
}

/// A single parameter: its key is the path alone.
impl Parameters for Param {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Self)) {
        f(path, self);
    }
}

/// `path.name`, or `name` at the top.
pub fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// All parameters and buffers of a network with their keys, in the network's order.
pub fn parameters(net: &dyn Parameters) -> Vec<(String, Param)> {
    let mut list = Vec::new();
    net.visit("", &mut |key, param| list.push((key.to_owned(), param.clone())));
    list
}

/// How many numbers a network learns; what several layers share counts once.
///
/// ```
/// use gpu_core::{Device, Tensor};
/// use nn::{Param, parameter_count, parameters};
/// struct Tied { embed: Param, project: Param }
/// parameters!(Tied { embed, project });
/// let embed = Param::trainable(Tensor::zeros(&Device::Cpu, [10, 4]));
/// assert_eq!(parameter_count(&Tied { project: embed.clone(), embed }), 40);
/// ```
pub fn parameter_count(net: &dyn Parameters) -> usize {
    let mut seen = HashSet::new();
    let counted = parameters(net).into_iter().filter(|(_, p)| p.is_trainable() && seen.insert(p.id()));
    counted.map(|(_, p)| p.shape().len()).sum()
}
