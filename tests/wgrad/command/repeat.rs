//! One seed, one device: the same bytes, however often, and however often a run was stopped.

use super::support::Bench;
use gpu_core::Device;
use std::time::{Duration, Instant};
use train::augmentation::Augmentation;
use train::data;
use train::loader::{Source, Treatment};

#[test]
fn three_runs_of_one_seed_are_the_same_bytes() {
    let bench = Bench::new();
    let augment = "--augment flip,crop,rotate,jitter,erase,mixup,cutmix --epochs 1";
    ["a", "b", "c"].iter().for_each(|name| drop(bench.train(&format!("{augment} --name {name}")).ok()));
    bench.train(&format!("{augment} --name other --seed 1")).ok();
    let bytes = |name: &str| bench.bytes(&format!("runs/{name}/last.safetensors"));
    assert!(bytes("a") == bytes("b") && bytes("a") == bytes("c"), "runs of one seed differ");
    assert!(bytes("a") != bytes("other"), "the seed is used");
    assert_eq!(bench.log("runs/a"), bench.log("runs/b"));
}

#[test]
fn three_runs_on_the_gpu_are_the_same_bytes() {
    if proof::gpu().is_none() {
        return;
    }
    let bench = Bench::new();
    for precision in ["f32", "mixed"] {
        for name in ["a", "b", "c"] {
            let words = "train --data data --model net.json --batch-size 8 --device gpu --augment flip,crop";
            let words = format!("{words} --precision {precision} --name {precision}-{name}");
            bench.run(&format!("{words} --max-steps 12 --test-images 0")).ok();
        }
        let bytes = |name: &str| bench.bytes(&format!("runs/{precision}-{name}/last.safetensors"));
        assert!(bytes("a") == bytes("b") && bytes("a") == bytes("c"), "runs of one seed differ in {precision}");
    }
}

#[test]
fn a_run_of_mixed_precision_is_the_same_bytes_stopped_or_not() {
    let bench = Bench::new();
    let words = "--epochs 2 --precision mixed --name";
    let told = bench.train(&format!("{words} whole")).ok().stdout;
    assert!(told.contains("products in f16, the loss times 65536 at last; 0 steps taken back"), "{told}");
    bench.train(&format!("{words} parts --max-steps 7")).ok();
    bench.run("train --resume runs/parts --precision f32").refused("--precision cannot change");
    bench.run("train --resume runs/parts").ok();
    for file in ["last.safetensors", "best.safetensors", "config.toml"] {
        assert!(bench.bytes(&format!("runs/whole/{file}")) == bench.bytes(&format!("runs/parts/{file}")), "{file} differs");
    }
    assert_eq!(bench.log("runs/whole"), bench.log("runs/parts"));
    bench.train("--epochs 2 --name f32s").ok();
    assert!(bench.bytes("runs/whole/last.safetensors") != bench.bytes("runs/f32s/last.safetensors"), "the precision is used");
}

/// Waits until a run of `steps_per_epoch` 25 has left a checkpoint in mid-epoch.
fn wait_for(bench: &Bench, file: &str) {
    let began = Instant::now();
    while !bench.path(file).is_file() {
        assert!(began.elapsed() < Duration::from_secs(120), "no {file} in two minutes");
        std::thread::sleep(Duration::from_millis(2));
    }
}

const RUN: &str = "--epochs 3 --augment flip,crop,jitter,mixup --save-every 3 --name";

#[test]
fn a_killed_run_resumes_to_the_bytes_of_one_that_never_stopped() {
    let bench = Bench::new();
    bench.train(&format!("{RUN} whole")).ok();
    let mut child = bench.spawn(&format!("{RUN} killed"));
    wait_for(&bench, "runs/killed/last.safetensors");
    child.kill().unwrap();
    child.wait().unwrap();
    bench.run("train --resume runs/killed").ok();
    for file in ["last.safetensors", "best.safetensors", "config.toml"] {
        assert!(bench.bytes(&format!("runs/whole/{file}")) == bench.bytes(&format!("runs/killed/{file}")), "{file} differs");
    }
    assert_eq!(bench.log("runs/whole"), bench.log("runs/killed"));
}

#[test]
fn a_run_stopped_at_any_step_resumes_to_the_same_bytes() {
    let bench = Bench::new();
    bench.train(&format!("{RUN} whole")).ok();
    bench.train(&format!("{RUN} parts --max-steps 7")).ok();
    for until in ["--max-steps 25", "--max-steps 26", "--max-steps 60", ""] {
        bench.run(&format!("train --resume runs/parts {until}")).ok();
    }
    let last = |name: &str| bench.bytes(&format!("runs/{name}/last.safetensors"));
    assert!(last("whole") == last("parts"));
    let text = bench.run("train --resume runs/parts");
    text.refused("already; give a larger --epochs");
    bench.run("train --resume runs/parts --epochs 4").ok();
}

#[test]
fn a_run_whose_images_are_drawn_by_class_is_the_same_bytes_stopped_or_not() {
    let bench = Bench::new();
    let words = "--epochs 2 --sampler weighted --name";
    bench.train(&format!("{words} whole")).ok();
    bench.train(&format!("{words} parts --max-steps 7")).ok();
    bench.run("train --resume runs/parts --sampler shuffled").refused("--sampler cannot change");
    bench.run("train --resume runs/parts --max-steps 26").ok();
    bench.run("train --resume runs/parts").ok();
    for file in ["last.safetensors", "best.safetensors", "config.toml"] {
        assert!(bench.bytes(&format!("runs/whole/{file}")) == bench.bytes(&format!("runs/parts/{file}")), "{file} differs");
    }
    assert_eq!(bench.log("runs/whole"), bench.log("runs/parts"));
    let config = std::fs::read_to_string(bench.path("runs/whole/config.toml")).unwrap();
    assert!(config.contains("sampler = \"weighted\""), "{config}");
    bench.train("--epochs 2 --name each").ok();
    assert!(bench.bytes("runs/whole/last.safetensors") != bench.bytes("runs/each/last.safetensors"), "the sampler is used");
}

#[cfg(unix)]
#[test]
fn ctrl_c_saves_and_says_how_to_go_on() {
    let bench = Bench::new();
    bench.train(&format!("{RUN} whole")).ok();
    let child = bench.spawn(&format!("{RUN} stopped"));
    wait_for(&bench, "runs/stopped/metrics.jsonl");
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let output = child.wait_with_output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    // Where the machine was so fast that the run was over, there is nothing to go on with.
    if output.status.code() != Some(0) {
        assert_eq!(output.status.code(), Some(130), "{stdout}");
        assert!(stdout.contains("wgrad train --resume runs/stopped"), "{stdout}");
        bench.run("train --resume runs/stopped").ok();
    }
    assert!(bench.bytes("runs/whole/last.safetensors") == bench.bytes("runs/stopped/last.safetensors"));
}

#[test]
fn a_set_on_the_device_and_one_on_the_host_give_the_same_bits() {
    let images = data::builtin::generate(40, 0);
    let by_kernel = Augmentation { flip: true, crop: true, cutout: true, ..Default::default() };
    let by_host = Augmentation { rotate: Some(10.0), jitter: Some(0.4), mixup: Some(0.4), cutmix: Some(1.0), ..by_kernel };
    for (device, how) in proof::devices().into_iter().flat_map(|device| [(device.clone(), by_kernel), (device, by_host)]) {
        let how = Treatment::of(&images).augmented(how, 7);
        let batches = |limit: u64| {
            let source = Source::within(&device, &images.train, limit);
            let mut feed = source.feed(16, &how);
            let slots = slots(&device);
            let ((), fill) = device.capture(|| feed.launch(&slots)).unwrap();
            let mut seen = Vec::new();
            for step in 0..3u32 {
                slots.step.write(&[step]);
                feed.fill(step, &data::shuffled(40, 1, u64::from(step))[..16]).unwrap();
                feed.prepare(&data::shuffled(40, 1, u64::from(step) + 1)[..16]);
                fill.replay().unwrap();
                let bits = [&slots.x, slots.targets.as_ref().unwrap()].map(|t| t.to_vec().unwrap().into_iter().map(f32::to_bits));
                let bits: Vec<u32> = bits.into_iter().flatten().collect();
                seen.push((bits, slots.labels.read::<u32>().unwrap()));
            }
            (source.is_resident(), seen)
        };
        let ((on_device, resident), (on_host, streamed)) = (batches(u64::MAX), batches(0));
        assert!(on_device && !on_host);
        assert!(resident == streamed, "{device:?}");
        assert_ne!(resident[0], resident[1]);
    }
}

fn slots(device: &Device) -> nn::Slots {
    nn::Slots {
        x: gpu_core::Tensor::zeros(device, [16, 3, 32, 32]),
        labels: gpu_core::Tensor::from_slice(device, [16], &[0u32; 16]),
        targets: Some(gpu_core::Tensor::zeros(device, [16, 10])),
        step: gpu_core::Tensor::from_slice(device, [1], &[0u32]),
    }
}
