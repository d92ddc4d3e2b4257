//! Parameters that training leaves as they are.

use super::parameters::{Parameters, parameters};
use thiserror::Error;

/// A pattern that none of a network's keys fits.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no key of the network fits \"{pattern}\"; there are: {}", keys.join(", "))]
pub struct UnknownKey {
    /// The pattern.
    pub pattern: String,
    /// The keys that the network has.
    pub keys: Vec<String>,
}

/// Freezes the parameters and buffers of `net` whose keys fit `pattern`, in which `*` stands for any characters: no gradient is
/// computed for them, and none behind them where nothing else asks for it. A batch norm whose running statistics are frozen normalises by
/// these and does not change them. An optimiser leaves frozen parameters as they are; one that is made afterwards keeps nothing for them.
/// A captured step is to be recorded after freezing.
///
/// Equivalent of `requires_grad_(False)`, with `eval()` for the norms.
///
/// ```
/// use gpu_core::{Device, Tensor};
/// use nn::{BatchNorm2d, Conv2d, Flatten, Init, Layer, Linear, Tape, freeze, seq};
/// let body = seq![Conv2d::new(2, 3), BatchNorm2d::new()];
/// let net = seq![body, Flatten, Linear::new(2)].build(&Init::seeded(&Device::Cpu, 0), [1, 4, 4])?;
/// freeze(&net, "0.*")?;
/// let x = Tape::new(&Device::Cpu).input(&Tensor::full(&Device::Cpu, [1, 1, 4, 4], 1.0));
/// let gradients = net.forward(&x).sum().backward();
/// let learned: Vec<String> =
///     nn::parameters(&net).into_iter().filter(|(_, p)| gradients.of(p).is_some()).map(|(key, _)| key).collect();
/// assert_eq!(learned, ["2.weight", "2.bias"]);
/// assert_eq!(freeze(&net, "body.*").unwrap_err().pattern, "body.*");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If no key fits, with the keys that there are.
pub fn freeze(net: &dyn Parameters, pattern: &str) -> Result<(), UnknownKey> {
    set_frozen(net, pattern, true)
}

/// Lets training change parameters and buffers again; see [`freeze`]. An optimiser that was made while they were frozen does not know
/// them: make a new one.
///
/// # Errors
/// If no key fits, with the keys that there are.
pub fn unfreeze(net: &dyn Parameters, pattern: &str) -> Result<(), UnknownKey> {
    set_frozen(net, pattern, false)
}

fn set_frozen(net: &dyn Parameters, pattern: &str, frozen: bool) -> Result<(), UnknownKey> {
    let (mut found, all) = (false, parameters(net));
    for (_, param) in all.iter().filter(|(key, _)| fits(pattern, key)) {
        param.set_frozen(frozen);
        found = true;
    }
    if found {
        return Ok(());
    }
    Err(UnknownKey { pattern: pattern.to_owned(), keys: all.into_iter().map(|(key, _)| key).collect() })
}

/// Whether `key` is `pattern`, each `*` of which stands for any characters.
///
/// ```
/// assert!(nn::fits("layer1.*", "layer1.0.conv.weight") && !nn::fits("layer1.*", "layer10.0.conv.weight"));
/// ```
pub fn fits(pattern: &str, key: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == key };
    let Some(key) = key.strip_prefix(head) else { return false };
    (0..=key.len()).filter(|&at| key.is_char_boundary(at)).any(|at| fits(rest, &key[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters_and_nothing_else_does() {
        for (pattern, key, want) in [
            ("*", "0.weight", true),
            ("0.weight", "0.weight", true),
            ("0.weight", "10.weight", false),
            ("0.*", "0.body.1.bias", true),
            ("0.*", "10.bias", false),
            ("*.bias", "0.body.1.bias", true),
            ("*.bias", "0.body.1.weight", false),
            ("*.body.*.weight", "2.body.0.weight", true),
            ("*.body.*.weight", "2.body.weight", false),
            ("**", "", true),
            ("", "", true),
            ("", "0", false),
        ] {
            assert_eq!(fits(pattern, key), want, "{pattern} and {key}");
        }
    }
}
