//! `wgrad export` on runs of seconds.

use super::runtime::{Runtime, fault, has_packages};
use crate::command::support::Bench;
use nn::Checkpoint;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use train::model::Trained;
use wgrad::prelude::*;

/// A small rate: the usual one switches every ReLU of this network off, and then it gives the same whatever it sees.
fn run() -> Bench {
    let bench = Bench::new();
    bench.train("--epochs 1 --name a --test-images 0 --lr 0.002").ok();
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
    // What it learned from, and a little noise: in noise alone none of its ReLUs lets anything through.
    let set = data::open(bench.path("data").to_str().unwrap()).unwrap().train;
    let images: Vec<u32> = (0..32).map(|i| 6 * i).collect();
    let noise = proof::values(32 * 3072, 1);
    let pixels: Vec<f32> = set.floats(&images).iter().zip(noise).map(|(pixel, v)| pixel + 0.02 * v).collect();
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

/// The same pictures, as files and as numbers.
#[test]
fn onnx_runtime_names_what_predict_names() {
    let Some(mut runtime) = Runtime::start() else { return };
    let bench = run();
    bench.run("export runs/a --onnx net.onnx").ok();
    let colours: Vec<[u8; 3]> = (0..12).map(|i| [[20 * i, 9, 99], [20 * i; 3]][usize::from(i) % 2]).collect();
    let names: Vec<String> = (0..colours.len()).map(|number| format!("{number}.png")).collect();
    for (name, colour) in names.iter().zip(&colours) {
        image::RgbImage::from_pixel(32, 32, image::Rgb(*colour)).save(bench.path(name)).unwrap();
    }
    let text = bench.run(&format!("predict {} --jsonl --top 1 --device cpu", names.join(" "))).ok().stdout;
    let predicted: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let pixels: Vec<f32> =
        colours.iter().flat_map(|colour| colour.iter().flat_map(|v| std::iter::repeat_n(f32::from(*v) / 255.0, 1024))).collect();
    let x = Tensor::from_slice(&Device::Cpu, [colours.len(), 3, 32, 32], &pixels);
    let trained = Trained::read(&bench.path("runs/a/last.safetensors"), &Device::Cpu).unwrap();
    let channels =
        [trained.description.mean, trained.description.std].map(|values| Tensor::from_slice(&Device::Cpu, [3, 1, 1], &values));
    let normalised = (&x - &channels[0]) / &channels[1];
    let y = trained.net.forward(&Var::constant(&normalised)).value().clone();
    let answer = runtime.ask(&bench.path("net.onnx"), &x, &y);
    assert_eq!(fault(&answer), None);
    let likeliest = predicted.iter().map(|picture| &picture["classes"][0]["label"]);
    assert_eq!(answer["classes"].as_array().unwrap().iter().collect::<Vec<_>>(), likeliest.collect::<Vec<_>>());
}

/// What a `.pth` file and a safetensors file have, and what differs.
fn held_together(python: &Path, bench: &Bench, pth: &str, safetensors: &str) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wgrad/export/state_dict.py");
    let output = Command::new(python).arg(script).args([pth, safetensors].map(|name| bench.path(name))).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn python_reads_a_state_dict_and_finds_every_tensor() {
    let Some(python) = has_packages("pickle, zipfile") else { return };
    let bench = run();
    bench.run("train --data data --model resnet20 --device cpu --max-steps 1 --test-images 0 --name b").ok();
    for (run, keys, first) in [("runs/a", "wgrad", "0.weight"), ("runs/b", "torchvision", "conv1.weight")] {
        let answer = bench.run(&format!("export {run} --torch --safetensors --json")).json();
        assert_eq!((answer["torch"]["keys"].as_str(), answer["safetensors"]["keys"].as_str()), (Some(keys), Some(keys)));
        let [pth, safetensors] = ["torch", "safetensors"].map(|format| answer[format]["file"].as_str().unwrap());
        assert_eq!([pth, safetensors], [format!("{run}/last.pth"), format!("{run}/last.weights.safetensors")]);
        let found = held_together(&python, &bench, pth, safetensors);
        assert_eq!((found["keys"][0].as_str(), &found["different"]), (Some(first), &json!([])));
        // The optimiser stays; the weights are those of the checkpoint.
        let [weights, checkpoint] =
            [safetensors, &format!("{run}/last.safetensors")].map(|name| Checkpoint::read(bench.path(name)).unwrap());
        let (weights, of_net) = (weights.arrays(), checkpoint.arrays().iter().filter(|(key, _)| !key.starts_with("optimizer.")));
        let mut found: Vec<_> = weights.values().map(|array| format!("{array:?}")).collect();
        let mut wanted: Vec<_> = of_net.map(|(_, array)| format!("{array:?}")).collect();
        found.sort();
        wanted.sort();
        assert!(found == wanted, "{run}");
    }
    // The proof of the proof: the weights of another step.
    bench.run("train --resume runs/b --max-steps 2").ok();
    bench.run("export runs/b --safetensors other.safetensors").ok();
    let different = held_together(&python, &bench, "runs/b/last.pth", "other.safetensors")["different"].clone();
    assert!(different.as_array().is_some_and(|keys| keys.len() > 50), "{different}");
}

#[test]
fn weights_that_left_come_back() {
    let bench = run();
    bench.run("export runs/a --safetensors back.safetensors").ok();
    let loss = |words: &str| bench.run(&format!("eval --device cpu --data data --json {words}")).json()["loss"].clone();
    bench.run("export runs/a --torch back.pth").ok();
    let own = loss("--checkpoint runs/a");
    ["back.safetensors", "back.pth"]
        .iter()
        .for_each(|file| assert_eq!(loss(&format!("--model net.json --weights {file}")), own, "{file}"));
    let whole = bench.bytes("back.pth");
    fs::write(bench.path("cut.pth"), &whole[..whole.len() / 2]).unwrap();
    bench
        .run("eval --model net.json --weights cut.pth --data data")
        .refused("cut.pth: this is no state dict of PyTorch that can be read");
}

#[test]
fn what_is_refused_changes_nothing() {
    let bench = run();
    fs::create_dir(bench.path("folder")).unwrap();
    let before = bench.contents();
    for (words, wanted) in [
        ("export runs/a", "--onnx [<FILE>]"),
        ("export runs/a --torch x --onnx x", "--torch x: two files of one name"),
        ("export runs/a --torch x --normalised", "--onnx"),
        ("export runs/a --safetensors runs/a/last.safetensors --force", "this is the checkpoint itself"),
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
