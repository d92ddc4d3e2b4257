//! The layer at which numbers end.

use crate::error::Result;
use gpu_core::Tensor;
use nn::{Module, Net, Sequential, Var, join};

/// The first layer of `net` whose output for `x` is not finite, by its path, its kind and that output.
pub(crate) fn first_not_finite(net: &Net, path: &str, x: &Var) -> Result<Option<String>> {
    let is_list = net.is::<Sequential>();
    let mut x = x.clone();
    for (name, layer) in net.named_children() {
        let (path, y) = (join(path, name), layer.forward(&x));
        if let Some(value) = not_finite(y.value())? {
            let within = first_not_finite(layer, &path, &x)?;
            return Ok(Some(within.unwrap_or_else(|| format!("layer {path} ({}) gave {value}", layer.describe()))));
        }
        // What is beside one another has one input.
        x = if is_list { y } else { x };
    }
    Ok(None)
}

fn not_finite(tensor: &Tensor) -> Result<Option<f32>> {
    Ok(tensor.to_vec()?.into_iter().find(|value| !value.is_finite()))
}

/// The layer that a key of a checkpoint is of, by its path and kind: `0.weight`, or `optimizer.momentum.0.weight`.
pub(crate) fn layer_of(net: &Net, key: &str) -> Option<String> {
    let moment = key.strip_prefix("optimizer.").and_then(|moment| moment.split_once('.'));
    within(net, moment.map_or(key, |(_, key)| key))
}

fn within(net: &Net, key: &str) -> Option<String> {
    let (name, rest) = key.split_once('.')?;
    let (_, layer) = net.named_children().find(|(known, _)| *known == name)?;
    let deeper = within(layer, rest);
    Some(deeper.map_or_else(|| format!("{name} ({})", layer.describe()), |deeper| join(name, &deeper)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gpu_core::Device;
    use nn::{Flatten, Init, Layer, Linear, Relu, Residual, parameters, seq};

    fn net() -> Net {
        let body = seq![Linear::new(4), Relu, Linear::new(4)];
        seq![Flatten, Linear::new(4), Residual::new(body), Linear::new(2)].build(&Init::seeded(&Device::Cpu, 0), [2, 2]).unwrap()
    }

    #[test]
    fn the_first_layer_that_gives_no_number_is_named_wherever_it_lies() {
        let x = Var::constant(&Tensor::full(&Device::Cpu, [1, 2, 2], 1.0));
        for (key, want) in
            [("1.weight", "layer 1 (Linear"), ("2.body.2.bias", "layer 2.body.2 (Linear"), ("3.bias", "layer 3 (Linear")]
        {
            let net = net();
            assert_eq!(first_not_finite(&net, "", &x).unwrap(), None);
            let param = parameters(&net).into_iter().find(|(name, _)| name == key).unwrap().1;
            param.set(&vec![f32::INFINITY; param.shape().len()]);
            let found = first_not_finite(&net, "", &x).unwrap().unwrap();
            assert!(found.starts_with(want), "{key}: {found}");
        }
    }

    #[test]
    fn a_key_tells_its_layer() {
        let net = net();
        for (key, want) in
            [("1.weight", "1 (Linear"), ("optimizer.momentum.2.body.0.weight", "2.body.0 (Linear"), ("3.bias", "3 (")]
        {
            assert!(layer_of(&net, key).is_some_and(|found| found.starts_with(want)), "{key}: {:?}", layer_of(&net, key));
        }
        assert_eq!(layer_of(&net, "optimizer.step"), None);
    }
}
