//! Checkpoints and folders of runs that are not what they say.

use super::{Refusals, Tally};
use crate::command::support::Bench;
use nn::Checkpoint;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::fs;

/// A change of a note of the checkpoint: the note, the place in it, what comes there, and what the line says.
fn notes() -> Vec<(&'static str, &'static str, Value, &'static str)> {
    let huge = r#"{"input":[3,32,32],"layers":[{"type":"flatten"},{"type":"linear","out":65535},{"type":"linear","out":32768}]}"#;
    vec![
        ("wgrad.progress", "/step", json!(3), "the run says 3 steps and the optimizer 2"),
        ("wgrad.progress", "/step", json!(-1), "the state of the run is damaged"),
        ("wgrad.progress", "/step", json!(u64::MAX), "the state of the run is damaged"),
        ("wgrad.progress", "/epoch", json!(7), "epoch 7 after 2 steps of 25"),
        ("wgrad.progress", "/epoch", json!(u64::MAX), "the state of the run is damaged"),
        ("wgrad.progress", "/steps_per_epoch", json!(0), "the state of the run is damaged"),
        ("wgrad.progress", "/steps_per_epoch", json!(26), "the data set, the batch size or the seed"),
        ("wgrad.progress", "/seed", json!(1), "the data set, the batch size or the seed"),
        ("wgrad.progress", "/window", json!(null), "the state of the run is damaged"),
        ("wgrad.progress", "", json!("x"), "the state of the run is damaged"),
        ("wgrad.network", "/std/0", json!(0), "a deviation above 0"),
        ("wgrad.network", "/std/1", json!(-0.5), "a deviation above 0"),
        ("wgrad.network", "/std/2", json!(null), "the description of the network is damaged"),
        ("wgrad.network", "/std/0", json!(1e39), "the description of the network is damaged"),
        ("wgrad.network", "/mean/0", json!(1e300), "the description of the network is damaged"),
        ("wgrad.network", "/mean", json!([0.5]), "for each of 3 channels"),
        ("wgrad.network", "/std", json!([]), "for each of 3 channels"),
        ("wgrad.network", "/spec", json!(huge), "parameters, and"),
        ("wgrad.network", "/spec", json!("{}"), ""),
        ("wgrad.network", "/spec", json!(3), "the description of the network is damaged"),
        ("wgrad.network", "", json!([]), "the description of the network is damaged"),
    ]
}

pub fn all(tally: &mut Tally) {
    let bench = Bench::new();
    bench.train("--max-steps 2 --test-images 0 --name a").ok();
    image::RgbImage::new(4, 4).save(bench.path("good.png")).unwrap();
    let good = Checkpoint::read(bench.path("runs/a/last.safetensors")).unwrap();
    let folder = |name: &str| {
        fs::create_dir_all(bench.path(name)).unwrap();
        fs::copy(bench.path("runs/a/config.toml"), bench.path(name).join("config.toml")).unwrap();
        bench.path(name).join("last.safetensors")
    };
    for (number, (note, place, value, _)) in notes().into_iter().enumerate() {
        let mut changed: Value = serde_json::from_str(good.note_of(note).unwrap()).unwrap();
        *changed.pointer_mut(place).unwrap() = value;
        // Written anew: its checksum fits.
        good.clone().note(note, changed.to_string()).write(folder(&format!("runs/n{number}"))).unwrap();
    }
    let bytes = bench.bytes("runs/a/last.safetensors");
    let flips: Vec<usize> = (0..40).map(|i| i * 8 * (bytes.len() - 1) / 39).map(|bit| bit / 8 * 8 + bit % 7).collect();
    for (number, bit) in flips.iter().enumerate() {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(folder(&format!("runs/f{number}")), bytes).unwrap();
    }
    // Six kilobytes that ask for eight gigabytes.
    let claim = r#"{"a":{"dtype":"F32","shape":[2147483648],"data_offsets":[0,8589934592]}}"#;
    fs::write(bench.path("claim.safetensors"), [&(claim.len() as u64).to_le_bytes(), claim.as_bytes(), &[0; 6000]].concat())
        .unwrap();
    let prefixed = Checkpoint::from_bytes(&bytes).unwrap();
    let mut header = String::from("{");
    for (number, (key, array)) in prefixed.arrays().iter().filter(|(key, _)| !key.starts_with("optimizer.")).enumerate() {
        let (comma, at) = (if number > 0 { "," } else { "" }, 0);
        let empty: Vec<usize> = array.shape.iter().map(|_| 0).collect();
        header += &format!("{comma}\"module.{key}\":{{\"dtype\":\"F32\",\"shape\":{empty:?},\"data_offsets\":[{at},{at}]}}");
    }
    header.push('}');
    fs::write(bench.path("module.safetensors"), [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat()).unwrap();
    let mut refusals = Refusals::new(bench, tally);
    for (number, (note, .., wanted)) in notes().into_iter().enumerate() {
        let run = format!("runs/n{number}");
        refusals.refused(&format!("train --resume {run}"), &[&run, wanted]);
        if note == "wgrad.network" {
            refusals.refused(&format!("eval --device cpu --data data --checkpoint {run}"), &[&run]);
            refusals.refused(&format!("predict good.png --device cpu --checkpoint {run}"), &[&run]);
            refusals.refused(&format!("export {run} --onnx x.onnx --torch x.pth"), &[&run]);
        }
    }
    for number in 0..flips.len() {
        refusals.refused(&format!("train --resume runs/f{number}"), &[&format!("runs/f{number}/last.safetensors")]);
    }
    refusals.refused("eval --device cpu --data data --checkpoint claim.safetensors", &["claim.safetensors"]);
    let weights = "--device cpu --data data --model net.json --weights module.safetensors";
    refusals.refused(&format!("eval {weights}"), &["module.safetensors", "--strip-prefix module."]);
    refusals.refused(&format!("train --batch-size 8 {weights}"), &["module.safetensors", "--strip-prefix module."]);
    refusals.refused(&format!("eval {weights} --strip-prefix model."), &["module.safetensors", "begins with model."]);
    refusals.refused(&format!("eval {weights} --strip-prefix module."), &["module.safetensors", "of another shape"]);
    refusals.refused("train --resume runs/a --epochs 9223372036854775808", &["--epochs"]);
    refusals.refused("train --resume runs/a --epochs 9223372036854775807", &["--epochs 9223372036854775807"]);
    refusals.refused("train --resume runs/a --max-steps 1", &["has done"]);
    refusals.refused("train --resume runs/a --max-steps 2", &["has done"]);
    not_finite(tally);
    another_data_set(tally);
}

/// Code 1: these ran, and something is wrong.
fn not_finite(tally: &mut Tally) {
    let bench = Bench::new();
    bench.train("--max-steps 2 --test-images 0 --name a").ok();
    image::RgbImage::new(4, 4).save(bench.path("good.png")).unwrap();
    let (mut bytes, path) = (bench.bytes("runs/a/last.safetensors"), bench.path("runs/a/last.safetensors"));
    // The last value of the file; its checksum is written anew.
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    let notes: Vec<(String, String)> = ["wgrad.network", "wgrad.progress"]
        .map(|key| (key.to_owned(), Checkpoint::read(&path).unwrap().note_of(key).unwrap().to_owned()))
        .into();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let plain: Value = serde_json::from_slice(&bytes[8..8 + header]).unwrap();
    let mut plain = plain.as_object().unwrap().clone();
    plain.insert(
        "__metadata__".to_owned(),
        notes.into_iter().map(|(k, v)| (k, Value::from(v))).collect::<serde_json::Map<_, _>>().into(),
    );
    let text = Value::from(plain).to_string();
    fs::write(&path, [&(text.len() as u64).to_le_bytes(), text.as_bytes(), &bytes[8 + header..]].concat()).unwrap();
    let mut refusals = Refusals::new(bench, tally);
    for words in [
        "train --resume runs/a",
        "eval --device cpu --data data --checkpoint runs/a",
        "predict good.png --device cpu --checkpoint runs/a",
        "export runs/a --onnx --torch --safetensors",
        "eval --device cpu --data data --model net.json --weights runs/a/last.safetensors",
        "train --device cpu --data data --batch-size 8 --model net.json --weights runs/a/last.safetensors",
    ] {
        let words: Vec<OsString> = words.split_whitespace().map(Into::into).collect();
        refusals.refused_with(1, &words, &[], &["runs/a/last.safetensors", "holds NaN"]);
    }
}

/// As many images of the same size, one pixel of which is another.
fn another_data_set(tally: &mut Tally) {
    let bench = Bench::new();
    bench.train("--max-steps 2 --test-images 0 --name a").ok();
    let path = bench.path("data/data_batch_4.bin");
    let mut bytes = fs::read(&path).unwrap();
    bytes[777] ^= 1;
    fs::write(&path, bytes).unwrap();
    let mut refusals = Refusals::new(bench, tally);
    refusals.refused("train --resume runs/a", &["data-fingerprint"]);
    refusals.refused("train --config runs/a/config.toml", &["data-fingerprint"]);
}
