//! Layer lists that nobody meant to write: an error or a network, never a panic, and never memory for what does not fit.

use super::Spec;
use crate::autograd::parameter_count;
use crate::layers::Sequential;
use crate::module::Module;
use crate::net::AnyLayer;
use crate::zoo;
use crate::{Init, Var};
use gpu_core::rng::Stream;
use gpu_core::{Device, Shape, Tensor};
use serde_json::{Value, json};

/// Random numbers that are the same in every run.
struct Dice {
    stream: Stream,
    at: u32,
}

impl Dice {
    fn new(seed: u64) -> Self {
        Self { stream: Stream::new(seed, 0, 0), at: 0 }
    }
    fn below(&mut self, n: usize) -> usize {
        self.at += 1;
        self.stream.block(self.at)[0] as usize % n
    }
}

/// What a layer list becomes, as far as it goes; a network only if it is small.
fn take(spec: Result<Spec, super::SpecError>) -> Option<Shape> {
    let spec = spec.ok()?;
    let out = spec.out_shape().ok()?;
    if spec.parameters().unwrap() < 10_000 {
        let net = spec.build(&Init::seeded(&Device::Cpu, 0)).unwrap();
        assert_eq!(parameter_count(&net) as u64, spec.parameters().unwrap());
        assert_eq!(net.out_shape(Shape::new(&[&[1], spec.input().dims()].concat())), Ok(out));
    }
    Some(out)
}

fn hostile_values() -> Vec<Value> {
    let numbers =
        [json!(0), json!(1), json!(2), json!(65_535), json!(65_536), json!(u64::MAX), json!(-1), json!(0.5), json!(1e300)];
    let others = [json!(null), json!("3"), json!(true), json!([]), json!({}), json!([1, 2]), json!([0, 65_535]), json!([1, 2, 3])];
    let lists =
        [json!([65_535, 65_535, 65_535, 65_535]), json!([1, 0, 1, 0]), json!([[]]), json!([{"type": "relu"}]), json!([[3]])];
    numbers.into_iter().chain(others).chain(lists).collect()
}

#[test]
fn any_value_in_any_field_is_an_error_or_a_network() {
    for (input, layer) in AnyLayer::EXAMPLES {
        let layer: Value = serde_json::from_str(layer).unwrap();
        for field in layer.as_object().unwrap().keys() {
            for value in hostile_values() {
                let mut layer = layer.clone();
                layer[field] = value;
                take(Spec::from_json(&json!({"input": input, "layers": [layer]}).to_string()));
            }
        }
    }
}

#[test]
fn every_layer_takes_or_refuses_every_input() {
    let inputs: [&[usize]; 9] =
        [&[1], &[65_535], &[1, 1], &[3, 65_535], &[1, 1, 1], &[4, 1, 2], &[1, 65_535, 1], &[65_535; 3], &[0, 3, 3]];
    for input in inputs {
        for (_, layer) in AnyLayer::EXAMPLES {
            take(Spec::from_json(&format!("{{\"input\": {input:?}, \"layers\": [{layer}]}}")));
        }
    }
}

#[test]
fn a_list_with_changed_bytes_is_an_error_or_a_network() {
    let mut dice = Dice::new(1);
    let list = zoo::spec("resnet20", [3, 8, 8].into(), 10).unwrap();
    let (json, toml) = (list.to_json().unwrap(), toml::to_string(&list).unwrap());
    let mut taken = 0;
    for _ in 0..300 {
        for (text, read) in [(&json, Spec::from_json as fn(&str) -> _), (&toml, Spec::from_toml)] {
            let mut bytes = text.clone().into_bytes();
            for _ in 0..=dice.below(2) {
                let (at, from) = (dice.below(bytes.len()), dice.below(bytes.len()));
                match dice.below(6) {
                    // Another digit: most lists stay lists.
                    0..3 => {
                        let digit = (at..bytes.len()).find(|&i| bytes[i].is_ascii_digit()).unwrap_or(at);
                        bytes[digit] = b'0' + dice.below(10) as u8;
                    }
                    3 => bytes[at] = b"0123456789[]{},:\"e-."[dice.below(20)],
                    4 => drop(bytes.drain(at..(at + dice.below(20)).min(bytes.len()))),
                    _ => {
                        let piece = bytes[from..(from + 20).min(bytes.len())].to_vec();
                        bytes.splice(at..at, piece);
                    }
                }
            }
            let text = String::from_utf8(bytes).unwrap();
            taken += usize::from(read(&text).and_then(|spec| spec.out_shape()).is_ok());
        }
    }
    // Many a change leaves a valid list: the test sees both sides.
    assert!((10..500).contains(&taken), "{taken} of 600 were taken");
}

/// Whatever is planned can be made and run.
#[test]
fn random_lists_run_if_they_are_planned() {
    let mut dice = Dice::new(2);
    let layers: Vec<AnyLayer> = AnyLayer::EXAMPLES.iter().map(|(_, layer)| serde_json::from_str(layer).unwrap()).collect();
    let mut ran = 0;
    for _ in 0..2000 {
        let input = [4, 3 + dice.below(9), 3 + dice.below(9)];
        let list: Vec<AnyLayer> = (0..=dice.below(3)).map(|_| layers[dice.below(layers.len())].clone()).collect();
        let spec = Spec::new(input, Sequential::from(list));
        let Some(out) = take(Ok(spec.clone())) else { continue };
        if out.len() > 10_000 {
            continue;
        }
        let net = spec.build(&Init::seeded(&Device::Cpu, 0)).unwrap();
        let x = Tensor::full(&Device::Cpu, [1, input[0], input[1], input[2]], 0.5);
        assert_eq!(net.forward(&Var::constant(&x)).shape(), out, "{spec:?}");
        ran += 1;
    }
    assert!(ran > 200, "{ran} lists ran");
}
