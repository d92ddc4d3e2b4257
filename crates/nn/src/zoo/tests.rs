use super::*;
use crate::module::{Module, parameter_count, parameters};
use crate::var::Var;
use gpu_core::{Device, check};

fn cx() -> Init {
    Init::seeded(&Device::Cpu, 0)
}

/// Colour images as in CIFAR, grey ones as in MNIST, many classes.
const INPUTS: [([usize; 3], usize); 3] = [([3, 32, 32], 10), ([1, 28, 28], 10), ([3, 32, 32], 100)];

#[test]
fn the_shape_foretold_is_the_shape_computed() {
    for name in NAMES {
        for (input, classes) in INPUTS {
            let net = build(name, &cx(), input.into(), classes).unwrap();
            let shape = Shape::from([2, input[0], input[1], input[2]]);
            let y = net.forward(&Var::constant(&check::tensor(&Device::Cpu, shape, 1)));
            assert_eq!(net.out_shape(shape), Ok(y.shape()), "{name} {input:?}");
            let wanted = if *name == "autoencoder" { shape } else { [2, classes].into() };
            assert_eq!(y.shape(), wanted, "{name} {input:?}");
        }
    }
}

/// Counted by hand from the layers' formulas; ResNet-20's is the known 0.27 M of the paper with projections added.
#[test]
fn parameters_are_as_many_as_the_formulas_say() {
    let count = |name: &str| parameter_count(&build(name, &cx(), [3, 32, 32].into(), 10).unwrap());
    assert_eq!(count("small-cnn"), 106_730);
    assert_eq!(count("resnet20"), 272_474);
}

#[test]
fn keys_are_those_of_the_documentation() {
    let ends = |name: &str| {
        let keys = parameters(&build(name, &cx(), [3, 32, 32].into(), 10).unwrap());
        [keys.first(), keys.last()].map(|k| k.unwrap().0.clone())
    };
    assert_eq!(ends("small-cnn"), ["0.weight", "16.bias"]);
    assert_eq!(ends("resnet20"), ["0.weight", "23.bias"]);
    assert_eq!(ends("mobilenet"), ["0.weight", "47.bias"]);
    assert_eq!(ends("autoencoder"), ["0.weight", "9.bias"]);
    let resnet = parameters(&build("resnet20", &cx(), [3, 32, 32].into(), 10).unwrap());
    for key in ["3.body.0.weight", "9.shortcut.0.weight", "9.shortcut.1.running_var"] {
        assert!(resnet.iter().any(|(k, _)| k == key), "{key}");
    }
    assert!(!resnet.iter().any(|(k, _)| k.starts_with("3.shortcut")));
}

#[test]
fn a_layer_list_survives_json_and_toml() {
    for name in NAMES {
        let list = spec(name, [3, 32, 32].into(), 10).unwrap();
        assert_eq!(Spec::from_json(&list.to_json()).unwrap(), list);
        assert_eq!(Spec::from_toml(&toml::to_string(&list).unwrap()).unwrap(), list);
    }
}

#[test]
fn what_does_not_suit_is_refused_with_a_reason() {
    let message = |name: &str, input: &[usize]| spec(name, Shape::new(input), 10).unwrap_err().to_string();
    assert_eq!(
        message("resnet50", &[3, 32, 32]),
        "there is no model \"resnet50\"; there are: small-cnn, resnet20, mobilenet, autoencoder"
    );
    assert!(message("autoencoder", &[3, 30, 30]).contains("30x30"));
    assert!(message("small-cnn", &[3, 2, 2]).starts_with("layer 13 (max_pool2d): "));
    assert!(message("small-cnn", &[32, 32]).contains("(C, H, W)"));
    assert!(spec("small_cnn", [3, 32, 32].into(), 10).is_ok());
}
