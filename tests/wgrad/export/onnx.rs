//! ONNX Runtime gives the logits of the CPU device: for every kind of layer, and for every model.

use super::runtime::{Runtime, draw, fault};
use wgrad::nn::Spec;
use wgrad::prelude::*;

const IMAGES: usize = 32;

/// Images that a network is asked about at a time: activations of all would take gigabytes.
const BATCH: usize = 8;

fn images(net: &Net) -> Tensor {
    proof::tensor(&Device::Cpu, Shape::new(&[&[IMAGES], net.input().dims()].concat()), 5)
}

/// What comes out for all images. A batch of its own statistics must be one: it may not be cut.
fn logits(net: &Net, x: &Tensor, batch: usize) -> Tensor {
    let part = |begin: usize| net.forward(&Var::constant(&ops::narrow(x, 0, begin, batch))).value().clone();
    let parts: Vec<Tensor> = (0..IMAGES).step_by(batch).map(part).collect();
    ops::concat(&parts.iter().collect::<Vec<_>>(), 0)
}

#[test]
fn onnx_runtime_gives_the_same_for_every_kind_of_layer() {
    let Some(mut runtime) = Runtime::start() else { return };
    let mut wrong = Vec::new();
    for (input, layer) in AnyLayer::EXAMPLES.iter().chain(MORE) {
        let spec = Spec::from_json(&format!("{{\"input\": {input:?}, \"layers\": [{layer}]}}")).unwrap();
        let net = spec.build(&Init::seeded(&Device::Cpu, 3)).unwrap();
        draw(&net, 7);
        let x = images(&net);
        let answer = runtime.ask_of(&net, &x, &logits(&net, &x, IMAGES));
        wrong.extend(fault(&answer).map(|fault| format!("{layer}: {fault}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Options that the examples do not have, and that go by other words.
const MORE: &[(&[usize], &str)] = &[
    (&[4, 9, 8], r#"{"type": "conv2d", "out": 6, "kernel": [4, 3], "padding": "same", "dilation": [1, 2]}"#),
    (&[4, 9, 8], r#"{"type": "conv2d", "out": 8, "kernel": 3, "groups": 4, "padding": [0, 1, 2, 3]}"#),
    (&[4, 5, 4], r#"{"type": "conv_transpose2d", "out": 6, "kernel": 3, "stride": 2, "padding": [1, 0, 0, 1]}"#),
    (&[4, 5, 4], r#"{"type": "conv_transpose2d", "out": 4, "kernel": 2, "stride": 3, "output_padding": [2, 1], "groups": 4}"#),
    // More added at the end than a stride: cut less, beyond every tap, and both.
    (
        &[4, 9, 4],
        r#"{"type": "conv_transpose2d", "out": 6, "kernel": [1, 4], "stride": [2, 1], "padding": [2, 1, 1, 1], "dilation": [1, 2], "output_padding": 1, "groups": 2}"#,
    ),
    (
        &[4, 11, 3],
        r#"{"type": "conv_transpose2d", "out": 6, "kernel": [2, 3], "stride": [1, 2], "padding": [1, 0, 0, 2], "dilation": 3, "output_padding": [2, 2], "bias": false}"#,
    ),
    (&[3, 5], r#"{"type": "conv_transpose1d", "out": 2, "kernel": 2, "dilation": 4, "output_padding": 3, "padding": [0, 1]}"#),
    (&[7], r#"{"type": "batch_norm"}"#),
    (&[3, 5], r#"{"type": "batch_norm1d", "tracked": false}"#),
    (&[7], r#"{"type": "demean_norm"}"#),
    (&[4, 5, 6], r#"{"type": "group_norm", "groups": 4}"#),
    (&[4], r#"{"type": "group_norm", "groups": 2}"#),
    (&[3, 1], r#"{"type": "instance_norm", "tracked": true}"#),
    (&[3, 4, 5], r#"{"type": "layer_norm", "axes": 1}"#),
    (&[3, 4, 5], r#"{"type": "rms_norm", "axes": 2}"#),
    (&[3, 4, 5], r#"{"type": "elu", "alpha": 0}"#),
    (&[3, 4, 5], r#"{"type": "leaky_relu", "slope": -0.5}"#),
    (&[3, 4, 5], r#"{"type": "softplus", "beta": 0.5, "threshold": 0.2}"#),
    (&[3, 4, 5], r#"{"type": "softplus"}"#),
    (&[3, 4, 5], r#"{"type": "softmax", "axis": 3}"#),
    (&[7], r#"{"type": "log_softmax"}"#),
    (&[3, 8, 9], r#"{"type": "max_pool2d", "kernel": 2, "padding": 2, "dilation": 3}"#),
    (&[3, 8, 9], r#"{"type": "max_pool2d", "kernel": 3, "stride": 2, "ceil_mode": true}"#),
    (&[3, 7, 7], r#"{"type": "max_pool2d", "kernel": 1, "stride": 3, "ceil_mode": true}"#),
    (&[3, 8, 9], r#"{"type": "avg_pool2d", "kernel": 3, "stride": 2, "padding": 1, "ceil_mode": true}"#),
    (&[3, 8, 9], r#"{"type": "avg_pool2d", "kernel": 3, "stride": 2, "ceil_mode": true}"#),
    (&[3, 8, 9], r#"{"type": "avg_pool2d", "kernel": [3, 4], "padding": [2, 3]}"#),
    (&[3, 8, 9], r#"{"type": "avg_pool2d", "kernel": 3, "stride": 2, "padding": 1, "ceil_mode": true, "divisor": 5}"#),
    (&[3, 8], r#"{"type": "avg_pool1d", "kernel": 3, "stride": 2, "ceil_mode": true}"#),
    (&[3, 8, 9], r#"{"type": "adaptive_avg_pool2d", "size": [4, 3]}"#),
    (&[3, 5, 6], r#"{"type": "adaptive_avg_pool2d", "size": 7}"#),
    (&[3, 8, 9], r#"{"type": "adaptive_max_pool2d", "size": [4, 3]}"#),
    (&[3, 5, 6], r#"{"type": "adaptive_max_pool2d", "size": 7}"#),
    (&[3, 4, 5], r#"{"type": "upsample", "factor": 2}"#),
    (&[3, 4, 5], r#"{"type": "upsample", "factor": 2, "mode": "bilinear"}"#),
    (&[3, 4, 5], r#"{"type": "upsample", "factor": 2.5, "mode": "bilinear"}"#),
    (&[3, 4, 5], r#"{"type": "upsample", "factor": 0.7}"#),
    (&[3, 4, 5], r#"{"type": "upsample", "factor": 1.3, "mode": "bilinear", "align_corners": true}"#),
    (&[3, 4, 5], r#"{"type": "upsample", "size": [1, 11], "mode": "bilinear", "align_corners": true}"#),
    (&[3, 2, 5], r#"{"type": "upsample", "size": [82, 3]}"#),
    (&[3, 4, 5], r#"{"type": "upsample", "size": [1, 3], "mode": "bilinear"}"#),
    (&[3, 6, 9], r#"{"type": "pixel_unshuffle", "factor": 3}"#),
    (&[18, 2, 3], r#"{"type": "pixel_shuffle", "factor": 3}"#),
    (&[3, 4, 5], r#"{"type": "gaussian_noise", "sigma": 0.1}"#),
    (&[7], r#"{"type": "linear", "out": 3}"#),
    (&[3, 4, 5], r#"{"type": "residual", "body": []}"#),
    (&[3, 4], r#"{"type": "concat", "branches": [[], [{"type": "relu"}], []]}"#),
    (
        &[3, 4, 5],
        r#"{"type": "sequential", "layers": [{"type": "relu"}, {"type": "dropout", "p": 0.5}, {"type": "sequential", "layers": []}]}"#,
    ),
];

/// Rows and columns, and classes; of models for 224 x 224 fewer, on which all their layers still have something to do: the images of
/// that size took three minutes.
fn extents(name: &str) -> ([usize; 3], usize) {
    match name {
        "lenet" => ([1, 28, 28], 10),
        "resnet18" | "resnet50" | "vgg11-bn" | "mobilenet-v1" | "mobilenet-v2" | "densenet121" | "squeezenet" => {
            ([3, 96, 96], 1000)
        }
        _ => ([3, 32, 32], 10),
    }
}

#[test]
fn onnx_runtime_gives_the_same_for_every_model() {
    let Some(mut runtime) = Runtime::start() else { return };
    let mut wrong = Vec::new();
    for name in zoo::NAMES {
        let (input, classes) = extents(name);
        let net = zoo::build(name, &Init::seeded(&Device::Cpu, 3), input.into(), classes).unwrap();
        draw(&net, 11);
        let began = std::time::Instant::now();
        let x = images(&net);
        let y = logits(&net, &x, BATCH);
        let computed = began.elapsed();
        let answer = runtime.ask_of(&net, &x, &y);
        println!("{name}: {} of the largest logit; {computed:.1?}, {:.1?}", answer["worst"], began.elapsed() - computed);
        wrong.extend(fault(&answer).map(|fault| format!("{name}: {fault}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The proof of the proof: one weight of a hundred thousand.
#[test]
fn a_weight_that_was_changed_is_noticed() {
    let Some(mut runtime) = Runtime::start() else { return };
    let net = zoo::build("small-cnn", &Init::seeded(&Device::Cpu, 3), [3, 32, 32].into(), 10).unwrap();
    let x = images(&net);
    let y = logits(&net, &x, BATCH);
    assert_eq!(fault(&runtime.ask_of(&net, &x, &y)), None);
    let weight = net.at("7").param("weight");
    let mut values = weight.value().to_vec().unwrap();
    values[1234] += 0.01;
    weight.set(&values);
    let noticed = fault(&runtime.ask_of(&net, &x, &y));
    assert!(noticed.as_ref().is_some_and(|fault| fault.contains("of the largest logit")), "{noticed:?}");
}
