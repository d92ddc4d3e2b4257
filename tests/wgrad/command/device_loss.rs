//! A GPU that goes away in the middle of a run.

use super::support::Bench;
use gpu_core::Device;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use train::Error;
use train::console::Console;
use train::peers::Peers;
use train::settings::Settings;
use train::trainer::{self, Order};

/// Steps of three epochs, and between two checkpoints.
const STEPS: u64 = 75;
const SAVED: u64 = 4;

fn settings(bench: &Bench, name: &str) -> Settings {
    let folder = bench.path("");
    let file = bench.path(&format!("{name}.toml"));
    let text = format!(
        "data = {:?}\nmodel = {:?}\nout = {:?}\nname = {name:?}\nbatch-size = 8\ndevice = \"gpu\"\nlog-every = 1\nsave-every = {SAVED}\ntest-images = 0\nepochs = 3\n",
        folder.join("data"),
        folder.join("net.json"),
        folder.join("runs"),
    );
    std::fs::write(&file, text).unwrap();
    Settings::read(&file).unwrap()
}

fn trained(settings: Settings, device: &Device) -> train::Result<trainer::Outcome> {
    let stop = AtomicBool::new(false);
    let order = Order {
        settings,
        resume: None,
        data: None,
        device: Some(device.clone()),
        peers: Peers::alone(),
        stop: &stop,
        began: Instant::now(),
    };
    trainer::train(order, &mut Console::new(true))
}

/// Destroys the device once the run has logged so many steps.
fn destroy_after(steps: usize, log: std::path::PathBuf, device: &Device) {
    let began = Instant::now();
    let logged = || std::fs::read_to_string(&log).unwrap_or_default().lines().count();
    while logged() < steps {
        assert!(began.elapsed() < Duration::from_secs(120), "no {steps} steps in two minutes");
        std::thread::sleep(Duration::from_millis(1));
    }
    let Device::Gpu(gpu) = device else { panic!("a GPU is wanted") };
    gpu.wgpu().0.destroy();
}

#[test]
fn a_run_whose_gpu_is_lost_says_where_it_goes_on_and_comes_to_the_same_bytes() {
    if proof::gpu().is_none() {
        return;
    }
    let bench = Bench::new();
    let device = Device::gpu().unwrap();
    trained(settings(&bench, "whole"), &device).unwrap();
    let order = settings(&bench, "lost");
    let error = std::thread::scope(|scope| {
        scope.spawn(|| destroy_after(10, bench.path("runs/lost/metrics.jsonl"), &device));
        trained(order, &device).unwrap_err()
    });
    let Error::Lost { step, saved, .. } = error else { panic!("{error}") };
    assert!(saved >= 8 && saved % SAVED == 0 && step < STEPS && (saved..=saved + SAVED).contains(&step), "{error}");
    assert!(error.exit_code() == 1 && error.to_string().contains("--resume"), "{error}");
    bench.run("train --resume runs/lost").ok();
    let last = |name: &str| bench.bytes(&format!("runs/{name}/last.safetensors"));
    assert!(last("whole") == last("lost"));
}
