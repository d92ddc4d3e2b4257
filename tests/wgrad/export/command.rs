//! `wgrad export` on runs of seconds.

use super::runtime::{Runtime, fault};
use crate::command::support::Bench;
use serde_json::json;
use std::fs;
use train::model::Trained;
use wgrad::prelude::*;

fn run() -> Bench {
    let bench = Bench::new();
    bench.train("--epochs 1 --name a --test-images 0").ok();
    bench
}

#[test]
fn an_onnx_model_lies_beside_its_checkpoint_and_is_not_replaced() {
    let bench = run();
    let answer = bench.run("export runs/a --onnx --json").json();
    let file = "runs/a/last.onnx";
    assert_eq!((answer["onnx"]["file"].as_str(), answer["onnx"]["opset"].as_i64()), (Some(file), Some(18)));
    let bytes = bench.bytes(file);
    assert_eq!(answer["onnx"]["bytes"].as_u64(), Some(bytes.len() as u64));
    bench.run("export runs/a --onnx").refused("runs/a/last.onnx: there is such a file already; name another, or give --force");
    let text = bench.run("export runs/a/last.safetensors --onnx --force").ok().stdout;
    assert_eq!(text, format!("{file} (ONNX, opset 18, 0.0 MB)\n"));
    assert_eq!(bench.bytes(file), bytes, "the same bytes every time");
    bench.run("export runs/a --onnx other.onnx --normalised").ok();
    assert_ne!(bench.bytes("other.onnx"), bytes);
}

#[test]
fn an_onnx_model_takes_pixels_and_says_what_its_classes_are() {
    let Some(mut runtime) = Runtime::start() else { return };
    let bench = run();
    bench.run("export runs/a --onnx pixels.onnx").ok();
    bench.run("export runs/a --onnx normalised.onnx --normalised").ok();
    let Trained { description, net } = Trained::read(&bench.path("runs/a/last.safetensors"), &Device::Cpu).unwrap();
    let values = proof::values(32 * 3072, 1);
    let pixels: Vec<f32> = values.iter().map(|v| 0.5 * v + 0.5).collect();
    let channel = |at: usize| at / 1024 % 3;
    let normalised: Vec<f32> =
        pixels.iter().enumerate().map(|(at, v)| (v - description.mean[channel(at)]) / description.std[channel(at)]).collect();
    let [pixels, normalised] = [pixels, normalised].map(|values| Tensor::from_slice(&Device::Cpu, [32, 3, 32, 32], &values));
    let logits = net.forward(&Var::constant(&normalised)).value().clone();
    for (file, x, other) in [("pixels.onnx", &pixels, &normalised), ("normalised.onnx", &normalised, &pixels)] {
        let answer = runtime.ask(&bench.path(file), x, &logits);
        assert_eq!(fault(&answer), None, "{file}");
        assert!(fault(&runtime.ask(&bench.path(file), other, &logits)).is_some(), "{file}");
        assert_eq!(answer["names"], json!(["image", "logits"]));
        assert_eq!(answer["shapes"], json!([["batch", 3, 32, 32], ["batch", 10]]));
        assert_eq!((&answer["producer"], &answer["metadata"]["model"]), (&json!("wgrad"), &json!("net.json")));
        let classes: Vec<String> = serde_json::from_str(answer["metadata"]["classes"].as_str().unwrap()).unwrap();
        let mean: Vec<f32> = serde_json::from_str(answer["metadata"]["mean"].as_str().unwrap()).unwrap();
        assert_eq!((classes, mean), (description.classes.clone(), description.mean.clone()));
    }
}

#[test]
fn what_is_refused_changes_nothing() {
    let bench = run();
    fs::create_dir(bench.path("folder")).unwrap();
    let before = bench.contents();
    for (words, wanted) in [
        ("export runs/a", "--onnx"),
        ("export --onnx runs/a", "<RUN|FILE>"),
        ("export runs/b --onnx", "runs/b: there is no such checkpoint"),
        ("export folder --onnx x.onnx", "folder: this folder holds no checkpoint"),
        ("export net.json --onnx x.onnx", "net.json"),
        ("export runs/a --onnx folder", "--onnx folder: it is a directory"),
        ("export runs/a --onnx nowhere/x.onnx", "--onnx nowhere/x.onnx"),
        ("export runs/a --onnx runs/a/last.safetensors --force", "this is the checkpoint itself"),
    ] {
        bench.run(words).refused(wanted);
    }
    assert!(bench.contents() == before);
}
