//! One example of every type, and laws that hold for all.

use crate::module::{Module, parameter_count};
use crate::spec::layer::KINDS;
use crate::spec::{Layer, Spec};
use crate::{Init, Tape, Var};
use gpu_core::{Device, Shape, check};
use std::collections::BTreeSet;

/// The shape of an input, and a layer with none of its fields at the default.
const EXAMPLES: &[(&[usize], &str)] = &[
    (
        &[4, 9, 8],
        r#""type": "conv2d", "out": 6, "kernel": [3, 2], "stride": [2, 1], "padding": [1, 0], "dilation": 2, "groups": 2, "bias": false"#,
    ),
    (
        &[4, 5, 4],
        r#""type": "conv_transpose2d", "out": 6, "kernel": [3, 2], "stride": 2, "padding": [1, 0], "output_padding": [0, 1], "groups": 2, "bias": false"#,
    ),
    (&[3, 4, 5], r#""type": "batch_norm", "eps": 0.001, "momentum": 0.3"#),
    (&[3, 4, 5], r#""type": "whitening_conv2d", "kernel": [3, 2]"#),
    (&[3, 4, 5], r#""type": "relu""#),
    (&[3, 4, 5], r#""type": "scale", "factor": -0.25"#),
    (&[3, 4, 5], r#""type": "flatten""#),
    (&[3, 4, 5], r#""type": "global_avg_pool""#),
    (&[3, 9, 8], r#""type": "max_pool2d", "kernel": [3, 2], "stride": [2, 1], "padding": [1, 0]"#),
    (&[3, 9, 8], r#""type": "avg_pool2d", "kernel": [3, 2], "stride": [2, 1], "padding": [1, 0]"#),
    (&[3, 4, 5], r#""type": "dropout", "p": 0.3"#),
    (&[3, 4, 5], r#""type": "dropout2d", "p": 0.3"#),
    (&[7], r#""type": "linear", "in": 7, "out": 3, "bias": false"#),
    (&[3, 4, 5], r#""type": "sequential", "layers": [{"type": "conv2d", "out": 2, "kernel": 3}, {"type": "relu"}]"#),
    (
        &[3, 4, 5],
        r#""type": "residual", "body": [{"type": "conv2d", "out": 2, "kernel": 1}], "shortcut": [{"type": "conv2d", "out": 2, "kernel": 1}]"#,
    ),
];

fn spec(input: &[usize], layer: &str) -> Spec {
    Spec::from_json(&format!("{{\"input\": {input:?}, \"layers\": [{{{layer}}}]}}")).unwrap_or_else(|e| panic!("{layer}: {e}"))
}

fn of_two(input: &[usize]) -> Shape {
    Shape::new(&[&[2], input].concat())
}

#[test]
fn every_type_has_an_example() {
    let found: BTreeSet<&str> = EXAMPLES.iter().map(|(input, layer)| spec(input, layer).layers()[0].kind()).collect();
    assert_eq!(found, KINDS.iter().copied().collect());
}

#[test]
fn what_was_planned_is_what_is_made() {
    for (input, layer) in EXAMPLES {
        let spec = spec(input, layer);
        let (planned, net) = (spec.plan().unwrap(), spec.build(&Init::seeded(&Device::Cpu, 0)).unwrap());
        assert_eq!(net.out_shape(Shape::new(&[&[1], *input].concat())), Ok(planned.output), "{layer}");
        assert_eq!(parameter_count(&net) as u64, planned.parameters, "{layer}");
        let x = check::tensor(&Device::Cpu, of_two(input), 1);
        assert_eq!(net.forward(&Var::constant(&x)).shape(), net.out_shape(x.shape()).unwrap(), "{layer}");
    }
}

/// In training mode, with a gradient for every parameter and for the input.
#[test]
fn every_type_trains() {
    for (input, layer) in EXAMPLES {
        let net = spec(input, layer).build(&Init::seeded(&Device::Cpu, 0)).unwrap();
        let x = Tape::new(&Device::Cpu).variable(&check::tensor(&Device::Cpu, of_two(input), 1));
        let gradients = net.forward(&x).sum().backward();
        assert_eq!(gradients.of(&x).map(|dx| dx.shape()), Some(x.shape()), "{layer}");
        for (key, param) in crate::parameters(&net).into_iter().filter(|(_, p)| p.is_trainable()) {
            assert_eq!(gradients.of(&param).map(|d| d.shape()), Some(param.shape()), "{layer}: {key}");
        }
    }
}

#[test]
fn every_type_survives_json_and_toml() {
    for (input, layer) in EXAMPLES {
        let spec = spec(input, layer);
        assert_eq!(Spec::from_json(&spec.to_json()).unwrap(), spec, "{layer}");
        assert_eq!(Spec::from_toml(&toml::to_string(&spec).unwrap()).unwrap(), spec, "{layer}");
        let alone: Layer = serde_json::from_str(&format!("{{{layer}}}")).unwrap();
        assert_eq!(alone, spec.layers()[0], "{layer}");
    }
}

#[test]
fn a_field_that_no_type_has_is_refused_by_every_type() {
    for (input, layer) in EXAMPLES {
        let text = format!("{{\"input\": {input:?}, \"layers\": [{{{layer}, \"nonsense\": 1}}]}}");
        let error = Spec::from_json(&text).unwrap_err().to_string();
        assert!(error.contains("unknown field `nonsense`"), "{layer}: {error}");
    }
}
