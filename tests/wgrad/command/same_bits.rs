//! The bits that training gives, held from one version of the library to the next.
//!
//! Bits belong to a processor and a driver: each section of `same_bits.toml` names both, and a machine that it does not know skips the
//! test and says so. `WGRAD_RECORD_BITS=1` writes this machine's section. A change that is meant to change bits records them anew
//! and says why in its commit.

use super::support::Bench;
use gpu_core::Device;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Products, batch norm and dropout; residual sums; depthwise convolutions.
const MODELS: [&str; 3] = ["small-cnn", "resnet20", "mobilenet"];
const STEPS: usize = 20;
/// Training images.
const IMAGES: usize = 205;

/// By machine, the hash of each model.
type Records = BTreeMap<String, BTreeMap<String, String>>;

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wgrad/command/same_bits.toml")
}

/// What the bits depend on besides the program; the processor's name alone leaves out its generation.
fn machine(device: &Device) -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = info.lines().find(|line| line.split(':').next().is_some_and(|key| key.trim() == name));
        line.and_then(|line| line.split_once(':')).map_or("?", |(_, value)| value.trim()).to_owned()
    };
    let processor = ["model name", "cpu family", "model", "stepping"].map(field).join(" ");
    let driver = match device {
        Device::Gpu(gpu) => format!("{} {}", gpu.info().name, gpu.info().driver),
        _ => "CPU".to_owned(),
    };
    format!("{driver} on {processor}")
}

/// Of every tensor's name, type, shape and bytes; metadata is left out.
fn hash(checkpoint: &[u8]) -> String {
    let tensors = safetensors::SafeTensors::deserialize(checkpoint).unwrap();
    let mut list = tensors.tensors();
    list.sort_by(|a, b| a.0.cmp(&b.0));
    let mut digest = Sha256::new();
    for (name, view) in list {
        digest.update(format!("{name} {:?} {:?}\n", view.dtype(), view.shape()));
        digest.update(view.data());
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn trained(bench: &Bench, model: &str, device: &str, seed: u64) -> String {
    let words = format!("train --data data --model {model} --batch-size 8 --device {device} --seed {seed} --name {model}-{seed}");
    // All images are learned from, as when the bits were first recorded.
    bench.run(&format!("{words} --val test --max-steps {STEPS} --test-images 0")).ok();
    hash(&bench.bytes(&format!("runs/{model}-{seed}/last.safetensors")))
}

#[track_caller]
fn hold(device: &Device, name: &str) {
    let machine = machine(device);
    let bench = Bench::of(IMAGES);
    let mut records: Records = toml::from_str(&fs::read_to_string(file()).unwrap()).unwrap();
    if std::env::var("WGRAD_RECORD_BITS").as_deref() == Ok("1") {
        let hashes = MODELS.map(|model| (model.to_owned(), trained(&bench, model, name, 0)));
        records.insert(machine, hashes.into());
        return fs::write(file(), toml::to_string(&records).unwrap()).unwrap();
    }
    let Some(record) = records.get(&machine) else {
        return eprintln!("skipped: no bits are recorded for {machine}; WGRAD_RECORD_BITS=1 records them");
    };
    for model in MODELS {
        assert_eq!(trained(&bench, model, name, 0), record[model], "{model} on {machine}: training gives other bits than it gave");
    }
    assert_ne!(trained(&bench, MODELS[0], name, 1), record[MODELS[0]], "the hash does not see the weights");
}

/// Both devices in one test: they share the file of records.
#[test]
fn training_gives_the_bits_that_it_gave() {
    hold(&Device::Cpu, "cpu");
    if let Some(gpu) = proof::gpu() {
        hold(&gpu, "gpu");
    }
}
