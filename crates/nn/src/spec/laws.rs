//! Laws that hold for every layer, as text.

use super::Spec;
use crate::autograd::parameter_count;
use crate::module::Module;
use crate::net::AnyLayer;
use crate::{Init, Tape, Var};
use gpu_core::{Device, Shape};

fn spec(input: &[usize], layer: &str) -> Spec {
    Spec::from_json(&format!("{{\"input\": {input:?}, \"layers\": [{layer}]}}")).unwrap_or_else(|e| panic!("{layer}: {e}"))
}

fn of_two(input: &[usize]) -> Shape {
    Shape::new(&[&[2], input].concat())
}

#[test]
fn what_was_planned_is_what_is_made() {
    for (input, layer) in AnyLayer::EXAMPLES {
        let spec = spec(input, layer);
        let (planned, net) = (spec.plan().unwrap(), spec.build(&Init::seeded(&Device::Cpu, 0)).unwrap());
        assert_eq!(net.out_shape(Shape::new(&[&[1], *input].concat())), Ok(planned.output()), "{layer}");
        assert_eq!(parameter_count(&net) as u64, planned.parameters(), "{layer}");
        let x = proof::tensor(&Device::Cpu, of_two(input), 1);
        assert_eq!(net.forward(&Var::constant(&x)).shape(), net.out_shape(x.shape()).unwrap(), "{layer}");
    }
}

/// In training mode, with a gradient for every parameter and for the input.
#[test]
fn every_type_trains() {
    for (input, layer) in AnyLayer::EXAMPLES {
        let net = spec(input, layer).build(&Init::seeded(&Device::Cpu, 0)).unwrap();
        let x = Tape::new(&Device::Cpu).variable(&proof::tensor(&Device::Cpu, of_two(input), 1));
        let gradients = net.forward(&x).sum().backward();
        assert_eq!(gradients.of(&x).map(|dx| dx.shape()), Some(x.shape()), "{layer}");
        for (key, param) in crate::parameters(&net).into_iter().filter(|(_, p)| p.is_trainable()) {
            assert_eq!(gradients.of(&param).map(|d| d.shape()), Some(param.shape()), "{layer}: {key}");
        }
    }
}

#[test]
fn every_type_survives_json_and_toml() {
    for (input, layer) in AnyLayer::EXAMPLES {
        let spec = spec(input, layer);
        assert_eq!(Spec::from_json(&spec.to_json().unwrap()).unwrap(), spec, "{layer}");
        assert_eq!(Spec::from_toml(&toml::to_string(&spec).unwrap()).unwrap(), spec, "{layer}");
        let alone: AnyLayer = serde_json::from_str(layer).unwrap();
        assert_eq!(alone, spec.layers().layers()[0], "{layer}");
    }
}

#[test]
fn a_field_that_no_type_has_is_refused_by_every_type() {
    for (input, layer) in AnyLayer::EXAMPLES {
        let layer = layer.replacen('{', "{\"nonsense\": 1, ", 1);
        let error = Spec::from_json(&format!("{{\"input\": {input:?}, \"layers\": [{layer}]}}")).unwrap_err().to_string();
        assert!(error.contains("unknown field `nonsense`"), "{layer}: {error}");
    }
}
