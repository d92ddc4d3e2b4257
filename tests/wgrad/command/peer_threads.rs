//! A run that threads of one process compute together, without a launcher: what the trainer does, and what it notices.

use super::support::Bench;
use gpu_core::Device;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Instant;
use train::console::Console;
use train::peers::Peers;
use train::settings::Settings;
use train::trainer::{self, Order};
use train::{Error, Result};

/// The errors and the results of so many threads that train the run `name`, each on its device, or go on with it; `extra` are its settings.
fn trained(bench: &Bench, name: &str, devices: Vec<Device>, extra: Settings) -> Vec<Result<u64>> {
    let text = |path: PathBuf| Some(path.to_str().unwrap().to_owned());
    let folder = bench.path("runs").join(name);
    let resume = folder.exists().then_some(folder);
    let settings = match resume {
        Some(_) => extra,
        None => extra.or(Settings {
            data: text(bench.path("data")),
            model: text(bench.path("net.json")),
            out: Some(bench.path("runs")),
            name: Some(name.to_owned()),
            batch_size: Some(8),
            accumulate: Some(4),
            epochs: Some(2),
            log_every: Some(10),
            plain_report: Some(true),
            ..Settings::default()
        }),
    };
    let stop = AtomicBool::new(false);
    let part = |device: Device, peers: Peers| {
        let order = Order {
            settings: settings.clone(),
            resume: resume.clone(),
            data: None,
            device: Some(device),
            peers: peers.clone(),
            stop: &stop,
            began: Instant::now(),
        };
        let done = trainer::train(order, &mut Console::silent());
        peers.leave(done.as_ref().err().map(Error::exit_code));
        done.map(|outcome| outcome.steps)
    };
    std::thread::scope(|scope| {
        let peers = Peers::in_process(devices.len()).into_iter().zip(devices);
        let threads: Vec<_> = peers.map(|(peers, device)| scope.spawn(|| part(device, peers))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn all_ok(results: Vec<Result<u64>>, steps: u64) {
    results.into_iter().for_each(|result| assert_eq!(result.unwrap(), steps));
}

#[test]
fn threads_come_to_the_bytes_of_one_stopped_and_continued_by_others_or_not() {
    for device in proof::devices() {
        let bench = Bench::new();
        let of = |threads: usize| vec![device.clone(); threads];
        let until = |steps| Settings { max_steps: Some(steps), ..Settings::default() };
        all_ok(trained(&bench, "whole", of(1), Settings::default()), 50);
        all_ok(trained(&bench, "two", of(2), Settings::default()), 50);
        all_ok(trained(&bench, "parts", of(4), until(7)), 7);
        all_ok(trained(&bench, "parts", of(1), until(31)), 31);
        all_ok(trained(&bench, "parts", of(2), Settings::default()), 50);
        bench.hold_same("whole", "two");
        bench.hold_same("whole", "parts");
    }
}

#[test]
fn a_device_that_computes_other_weights_is_named_at_the_next_save() {
    let bench = Bench::new();
    let devices = ["none", "none", "sgd_step", "none"].map(|kernel| proof::faulty(&Device::Cpu, kernel)).to_vec();
    let saving = Settings { save_every: Some(5), ..Settings::default() };
    for (rank, result) in trained(&bench, "run", devices, saving).into_iter().enumerate() {
        let error = result.unwrap_err();
        let told = "the weights of process 2 differ from process 0's at step 5: a device computes wrongly";
        assert!(error.to_string().contains(told), "{rank}: {error}");
        assert!(error.to_string().ends_with("is from step 0"), "{rank}: {error}");
    }
    let last = nn::Checkpoint::read(bench.path("runs/run/last.safetensors")).unwrap();
    assert!(last.not_finite().is_none(), "what was saved is what was right");
}

#[test]
fn settings_that_are_not_those_of_all_leave_nothing() {
    let bench = Bench::new();
    let odd = Settings { accumulate: Some(8), ..Settings::default() };
    for result in trained(&bench, "run", vec![Device::Cpu; 3], odd) {
        assert!(result.unwrap_err().to_string().contains("--accumulate 8 cannot be shared by 3 processes"));
    }
    assert!(!bench.path("runs").exists());
}
