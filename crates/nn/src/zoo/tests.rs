use super::*;
use crate::autograd::{Var, parameters};
use crate::module::Module;
use crate::{Loss, Sgd, StepOptions, Tape, TrainStep};
use gpu_core::{Device, Tensor};

fn cx() -> Init {
    Init::seeded(&Device::Cpu, 0)
}

fn net(name: &str, input: [usize; 3], classes: usize) -> Net {
    build(name, &cx(), input.into(), classes).unwrap_or_else(|e| panic!("{name}: {e}"))
}

const CIFAR: [usize; 3] = [3, 32, 32];
const MNIST: [usize; 3] = [1, 28, 28];
const IMAGENET: [usize; 3] = [3, 224, 224];

/// Trainable parameters. Those for ImageNet are torchvision's own counts, LeNet's is the one of every textbook, the rest was counted by
/// the layers' formulas; the ResNets for CIFAR-10 are the 0.27 M and 0.46 M of the paper with 2,752 of projections added.
const COUNTS: &[(&str, [usize; 3], usize, usize)] = &[
    ("small-cnn", CIFAR, 10, 106_730),
    ("three-layer-convnet", CIFAR, 10, 170_906),
    ("lenet", MNIST, 10, 61_706),
    ("resnet20", CIFAR, 10, 269_722 + 2_752),
    ("resnet32", CIFAR, 10, 464_154 + 2_752),
    ("resnet18", IMAGENET, 1000, 11_689_512),
    ("resnet18", CIFAR, 10, 11_173_962),
    ("resnet50", IMAGENET, 1000, 25_557_032),
    ("resnet50", CIFAR, 10, 23_520_842),
    ("vgg11-bn", IMAGENET, 1000, 132_868_840),
    ("vgg11-bn", CIFAR, 10, 9_231_114),
    ("mobilenet", CIFAR, 10, 543_050),
    ("autoencoder", CIFAR, 10, 53_859),
    ("mobilenet-v1", IMAGENET, 1000, 4_231_976),
    ("mobilenet-v2", IMAGENET, 1000, 3_504_872),
    ("densenet-bc-100-12", CIFAR, 10, 769_162),
    ("densenet121", IMAGENET, 1000, 7_978_856),
    ("squeezenet", IMAGENET, 1000, 1_235_496),
    ("squeezenet", CIFAR, 10, 1_235_496 - 990 * 513),
    ("airbench", CIFAR, 10, 1_971_352 + 1_152),
    // The much-used implementation with batch normalisation has 31,037,633 for one class, and 65 for each further one.
    ("unet", CIFAR, 1, 31_037_633),
    ("unet", CIFAR, 10, 31_037_633 + 9 * 65),
    ("unet-small", CIFAR, 10, 482_737 + 9 * 17),
];

#[test]
fn parameters_are_as_many_as_published() {
    for &(name, input, classes, want) in COUNTS {
        // Planned, not made: half a gigabyte of weights would be drawn for nothing.
        assert_eq!(spec(name, input.into(), classes).unwrap().parameters().unwrap(), want as u64, "{name} {input:?}");
    }
}

#[test]
fn the_shape_foretold_is_the_shape_computed_and_every_parameter_learns() {
    for name in NAMES {
        for (input, classes) in [(CIFAR, 10), (MNIST, 100)] {
            // The large ones are slow, and five halvings leave nothing of 28; a U-Net's three do not fit it.
            let is_large = spec(name, CIFAR.into(), 10).unwrap().parameters().unwrap() > 1_000_000;
            if input == MNIST && (is_large || *name == "unet-small") {
                continue;
            }
            let net = net(name, input, classes);
            let shape = Shape::from([2, input[0], input[1], input[2]]);
            let y = net.forward(&Tape::new(&Device::Cpu).input(&proof::tensor(&Device::Cpu, shape, 1)));
            assert_eq!(net.out_shape(shape), Ok(y.shape()), "{name} {input:?}");
            let wanted = match *name {
                "autoencoder" => shape,
                "unet" | "unet-small" => [2, classes, input[1], input[2]].into(),
                _ => [2, classes].into(),
            };
            assert_eq!(y.shape(), wanted, "{name} {input:?}");
            let gradients = y.mul(&y).mean().backward();
            for (key, param) in parameters(&net).into_iter().filter(|(_, p)| p.is_trainable()) {
                let gradient = gradients.of(&param).unwrap_or_else(|| panic!("{name}: no gradient for {key}")).to_vec().unwrap();
                assert!(gradient.iter().all(|v| v.is_finite()), "{name}: {key}");
            }
        }
    }
}

#[test]
fn squeezenet_has_torchvisions_keys() {
    let net = net("squeezenet", CIFAR, 10);
    let names = torchvision("squeezenet", &net).unwrap();
    for (ours, theirs) in [
        ("3.weight", "features.3.squeeze.weight"),
        ("12.branches.1.0.bias", "features.6.expand3x3.bias"),
        ("28.branches.0.0.weight", "features.12.expand1x1.weight"),
        ("30.bias", "classifier.1.bias"),
    ] {
        assert_eq!(names.theirs(ours).as_deref(), Some(theirs));
    }
}

/// Every model has a row in the module's documentation, with its last key.
#[test]
fn keys_are_those_of_the_documentation() {
    let rows: Vec<&str> = include_str!("mod.rs").lines().filter(|line| line.starts_with("//! | `")).collect();
    for name in NAMES {
        let keys = parameters(&net(name, CIFAR, 10));
        let row = rows.iter().find(|row| row.contains(&format!("`{name}`"))).unwrap_or_else(|| panic!("{name} has no row"));
        assert_eq!(keys[0].0, "0.weight", "{name}");
        let last = &keys.last().unwrap().0;
        assert!(row.contains(&format!("`{last}`")), "{name}: {last} is not in: {row}");
    }
    let resnet = parameters(&net("resnet20", CIFAR, 10));
    for key in ["3.body.0.weight", "9.shortcut.0.weight", "9.shortcut.1.running_var"] {
        assert!(resnet.iter().any(|(k, _)| k == key), "{key}");
    }
    assert!(!resnet.iter().any(|(k, _)| k.starts_with("3.shortcut")));
}

#[test]
fn a_layer_list_survives_json_and_toml() {
    for name in NAMES {
        let list = spec(name, CIFAR.into(), 10).unwrap();
        assert_eq!(Spec::from_json(&list.to_json().unwrap()).unwrap(), list);
        assert_eq!(Spec::from_toml(&toml::to_string(&list).unwrap()).unwrap(), list);
    }
}

#[test]
fn what_does_not_suit_is_refused_with_a_reason() {
    let message = |name: &str, input: &[usize]| spec(name, Shape::new(input), 10).unwrap_err().to_string();
    let unknown = message("resnet51", &CIFAR);
    assert!(unknown.starts_with("there is no model \"resnet51\"; there are: small-cnn, "), "{unknown}");
    assert!(NAMES.iter().all(|name| unknown.contains(name)), "{unknown}");
    assert!(message("autoencoder", &[3, 30, 30]).contains("30x30"));
    assert!(message("unet", &[3, 40, 32]).contains("multiples of 16"));
    assert!(message("unet-small", &[3, 40, 36]).starts_with("unet-small: "));
    assert!(message("small-cnn", &[3, 2, 2]).starts_with("layer 13 (max_pool2d): "));
    assert!(message("small-cnn", &[32, 32]).contains("(C, H, W)"));
    assert!(spec("small_cnn", CIFAR.into(), 10).is_ok());
    for name in NAMES.iter().filter(|name| **name != "autoencoder") {
        assert!(spec(name, CIFAR.into(), 0).unwrap_err().to_string().contains("must be 1 to 65535"), "{name}");
    }
}

/// Two training steps of the smaller models on every device; the second loss depends on every gradient of the first step.
#[test]
fn small_models_train_alike_on_every_device() {
    for name in ["small-cnn", "three-layer-convnet", "lenet", "resnet20", "mobilenet", "airbench", "autoencoder"] {
        let losses = proof::devices().into_iter().map(|device| {
            let net = build(name, &Init::seeded(&device, 0), CIFAR.into(), 10).unwrap();
            let loss = if name == "autoencoder" { Loss::Reconstruction } else { Loss::CrossEntropy { smoothing: 0.0 } };
            let sgd = Sgd::new(&net, 0.001);
            let step = TrainStep::captured(&net, &sgd, &StepOptions::new(2, CIFAR).loss(loss)).unwrap();
            let losses = [0, 1].map(|_| {
                step.run_on(&proof::values(2 * 3 * 32 * 32, 1), &[1, 7]).unwrap();
                step.loss().unwrap()
            });
            (device.name(), losses)
        });
        let losses: Vec<(String, [f32; 2])> = losses.collect();
        let [first, second] = losses[0].1;
        assert!(second < first, "{name}: {second} after {first}");
        for (device, got) in &losses {
            // The step from the first loss to the second within a thousandth of it, too.
            assert!((got[0] - first).abs() <= 1e-5 * first, "{name}: {} on {device}, {first} on the CPU", got[0]);
            assert!((got[1] - second).abs() <= 1e-3 * (first - second), "{name}: {} on {device}, {second} on the CPU", got[1]);
        }
    }
}

/// Values that are a function of the key and the position, as a script made them for PyTorch.
fn formula(key: &str, shape: &[usize]) -> Vec<f32> {
    let len: usize = shape.iter().product();
    let seed: u64 = key.bytes().map(u64::from).sum();
    let fan_in = (len / shape[0]) as f64;
    let value = |i: u64| {
        let u = ((i * 7919 + seed * 104_729) % 10_007) as f64 / 10_007.0;
        match key.rsplit('.').next().unwrap() {
            "running_var" => 0.5 + u,
            "running_mean" | "bias" => 0.4 * u - 0.2,
            _ if shape.len() == 1 => 0.75 + 0.5 * u,
            _ => (u - 0.5) * 2.0 * (3.0 / fan_in).sqrt(),
        }
    };
    (0..len as u64).map(|i| value(i) as f32).collect()
}

/// Small networks of torchvision's structure, their state dicts filled by a formula of torchvision's keys, on an image made by a
/// formula: logits by PyTorch 2.11 in f64. Two keys that changed places would change them.
#[test]
fn state_dicts_of_torchvision_give_the_logits_of_pytorch() {
    use densenet::DenseNet;
    use resnet::{Block, ResNet};
    let basic = ResNet { block: Block::Basic, blocks: &[2, 1, 1], width: 4 };
    let basic_small = ResNet { block: Block::Basic, blocks: &[1, 2], width: 4 };
    let bottleneck = ResNet { block: Block::Bottleneck, blocks: &[1, 2], width: 4 };
    let dense = DenseNet { growth: 3, blocks: &[2, 3], first: 6 };
    let inverted: &[mobilenet_v2::Row] = &[(1, 4, 1, 1), (6, 6, 2, 2), (6, 8, 2, 1)];
    let vgg: &[&[usize]] = &[&[4], &[6, 6]];
    let cases = [
        (
            "basic",
            [3, 33, 32],
            basic.layers(5, false),
            basic.names(),
            57,
            [-0.2839429, 0.1232827, 0.1903084, -0.1722588, 0.2349668],
        ),
        (
            "basic, small",
            [3, 9, 8],
            basic_small.layers(5, true),
            basic_small.names(),
            42,
            [-0.3081096, -0.1856569, -0.1093502, -0.1862484, -0.06379578],
        ),
        (
            "bottleneck",
            [3, 33, 32],
            bottleneck.layers(5, false),
            bottleneck.names(),
            62,
            [0.0360607, -0.3493252, -0.299977, -0.06105342, 0.6150251],
        ),
        (
            "vgg",
            [3, 8, 9],
            vgg::layers(vgg, 2, &[7, 8], 5),
            vgg::names(vgg),
            24,
            [-0.04518403, 0.2201998, 0.02475644, 0.1007225, -0.03389364],
        ),
        (
            "mobilenet v2",
            [3, 17, 16],
            mobilenet_v2::layers(inverted, [8, 16], 5, false),
            mobilenet_v2::names(inverted),
            82,
            [-0.1800661, 0.2832668, -0.130364, -0.4488821, 0.4144507],
        ),
        (
            "densenet",
            [3, 33, 32],
            dense.layers(5, false),
            dense.names(),
            66,
            [-0.2013019, 0.3881831, -0.0517263, 0.04814655, 0.2708425],
        ),
    ];
    for (name, input, layers, names, keys, want) in cases {
        let net = Spec::new(input, layers).build(&cx()).unwrap();
        let names = Names::in_order(&net, names).unwrap_or_else(|| panic!("{name}"));
        let of_pytorch = crate::Checkpoint::new().net_as(&net, &names).unwrap();
        assert_eq!(of_pytorch.arrays().len(), keys, "{name}");
        for (key, param) in parameters(&net) {
            param.set(&formula(&names.theirs(&key).unwrap(), param.shape().dims()));
        }
        let shape = Shape::from([1, input[0], input[1], input[2]]);
        let image: Vec<f32> = (0..shape.len()).map(|i| (i * 7919 % 10_007) as f32 / 10_007.0 * 2.0 - 1.0).collect();
        let got = net.forward(&Var::constant(&Tensor::from_slice(&Device::Cpu, shape, &image))).value().to_vec().unwrap();
        for (got, want) in got.iter().zip(want) {
            assert!((got - want).abs() < 1e-5, "{name}: {got}, PyTorch has {want}");
        }
    }
}
