//! PyTorch itself: it loads what is written for it, key by key, and gives the same logits; and what it saved is read.

use super::runtime::{BOUND, Conversation, draw, fault, has_packages};
use serde_json::json;
use std::fs;
use std::path::Path;
use train::model::Weights;
use wgrad::export::StateDict;
use wgrad::nn::Spec;
use wgrad::prelude::*;

/// As in `pytorch.py`.
const LIST: &str = r#"{"input": [3, 16, 16], "layers": [
    {"type": "conv2d", "out": 6, "kernel": 3, "padding": 1, "bias": false}, {"type": "batch_norm"}, {"type": "relu"},
    {"type": "conv2d", "out": 4, "kernel": 3, "stride": 2, "groups": 2}, {"type": "group_norm", "groups": 2}, {"type": "silu"},
    {"type": "conv_transpose2d", "out": 5, "kernel": 2, "stride": 2}, {"type": "flatten"}, {"type": "linear", "out": 10}]}"#;

/// Names here and in torchvision.
const MODELS: [(&str, &str); 6] = [
    ("resnet18", "resnet18"),
    ("resnet50", "resnet50"),
    ("vgg11-bn", "vgg11_bn"),
    ("mobilenet-v2", "mobilenet_v2"),
    ("densenet121", "densenet121"),
    ("squeezenet", "squeezenet1_1"),
];

fn built(name: &str, seed: u64) -> Net {
    let cx = Init::seeded(&Device::Cpu, seed);
    match name {
        "list" => Spec::from_json(LIST).unwrap().build(&cx).unwrap(),
        _ => zoo::build(name, &cx, [3, 224, 224].into(), 10).unwrap(),
    }
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn floats(file: &Path) -> Vec<f32> {
    fs::read(file).unwrap().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

/// The largest difference, of the largest logit of the image.
fn apart(found: &[f32], wanted: &[f32]) -> f64 {
    let worst = |(f, w): (&[f32], &[f32])| {
        let largest = w.iter().fold(0f32, |m, v| m.max(v.abs()));
        f.iter().zip(w).fold(0f32, |m, (f, w)| m.max((f - w).abs())) / largest
    };
    assert_eq!(found.len(), wanted.len());
    f64::from(found.chunks(10).zip(wanted.chunks(10)).map(worst).fold(0f32, f32::max))
}

#[test]
fn pytorch_takes_what_is_written_for_it_and_what_it_saved_is_taken() {
    let Some(python) = has_packages("numpy, torch, torchvision") else { return };
    let (mut torch, folder) = (Conversation::begin(&python, "pytorch.py"), tempfile::tempdir().unwrap());
    let [pth, x_file, y_file] = ["net.pth", "x", "y"].map(|name| folder.path().join(name));
    let mut wrong = Vec::new();
    for (name, theirs) in [("list", "list")].into_iter().chain(MODELS) {
        let net = built(name, 3);
        draw(&net, 11);
        let names = zoo::torchvision(name, &net).unwrap_or_default();
        StateDict::new(&net).names(names).write(&pth).unwrap();
        let x = proof::tensor(&Device::Cpu, Shape::new(&[&[2], net.input().dims()].concat()), 5);
        let logits = |net: &Net| net.forward(&Var::constant(&x)).value().to_vec().unwrap();
        let ours = logits(&net);
        fs::write(&x_file, bytes(&x.to_vec().unwrap())).unwrap();
        fs::write(&y_file, bytes(&ours)).unwrap();
        let answer = torch.ask(&json!({ "model": theirs, "pth": pth, "x": x_file, "shape": x.shape().dims(), "y": y_file }));
        if let Some(fault) = fault(&answer) {
            wrong.push(format!("{name} there: {fault}"));
            continue;
        }

        // And back, into a network that was drawn otherwise.
        let back = built(name, 4);
        let loaded = Weights { path: &pth, strip_prefix: None, lenient: false }.load(&back, name);
        wrong.extend(loaded.err().map(|e| format!("{name} back: {e}")));
        let theirs = floats(&y_file);
        let worst = apart(&logits(&back), &theirs);
        println!("{name}: {} there, {worst:.2e} back", answer["worst"]);
        wrong.extend((worst > BOUND).then(|| format!("{name} back: {worst:.2e} of the largest logit")));
        // The control: PyTorch drew other numbers than it was given.
        assert!(apart(&ours, &theirs) > 100.0 * BOUND, "{name}: the same network came back");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
