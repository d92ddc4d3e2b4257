//! Runs on pictures that do not lie in memory: the same bytes as on those that do.

use super::pictures::{TRAIN, encoded, picture, with_photos};
use super::support::{Bench, finished};
use image::ImageFormat;
use serde_json::Value;
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Three epochs of nine steps; a list of changes that the host draws.
const RUN: &str = "--epochs 3 --augment flip,crop,mixup --save-every 2 --name";

fn train(bench: &Bench, words: &str, threads: &str) {
    finished({
        let mut command = bench.command(&format!("{TRAIN} {RUN} {words}"));
        command.env("RAYON_NUM_THREADS", threads);
        command
    })
    .ok();
}

#[track_caller]
fn hold_same(bench: &Bench, run: &str) {
    for file in ["last.safetensors", "best.safetensors", "test.csv"] {
        assert!(bench.bytes(&format!("runs/held/{file}")) == bench.bytes(&format!("runs/{run}/{file}")), "{run}: {file} differs");
    }
    assert_eq!(bench.log("runs/held"), bench.log(&format!("runs/{run}")), "{run}");
}

fn caches(bench: &Bench, folder: &str) -> usize {
    let names = fs::read_dir(bench.path(folder)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("pictures-") && name.ends_with(".cache")).count()
}

#[test]
fn a_run_off_memory_has_the_bytes_of_one_in_memory_cold_warm_stopped_and_on_other_threads() {
    let bench = with_photos();
    train(&bench, "held --in-memory on", "2");
    assert!(fs::read_to_string(bench.path("runs/held/config.toml")).unwrap().contains("in-memory = \"on\""));
    assert_eq!(caches(&bench, "runs"), 0);
    train(&bench, "cold --in-memory off", "3");
    hold_same(&bench, "cold");
    assert_eq!(caches(&bench, "runs"), 1, "in the folder of the runs, where no other was named");
    train(&bench, "warm --in-memory off", "1");
    hold_same(&bench, "warm");
    // Another seed is another run: the comparison can fail.
    train(&bench, "other --in-memory off --seed 1", "2");
    assert!(bench.bytes("runs/other/last.safetensors") != bench.bytes("runs/held/last.safetensors"));

    // Stopped in the middle of an epoch, and on: once as before, once in memory.
    for (name, more) in [("parts", ""), ("moved", " --in-memory on")] {
        train(&bench, &format!("{name} --in-memory off --cache kept --max-steps 13"), "2");
        assert_eq!(caches(&bench, "kept"), 1);
        bench.run(&format!("train --resume runs/{name}{more}")).ok();
        hold_same(&bench, name);
    }
    let eval = |run: &str| {
        let mut found = bench.run(&format!("eval --checkpoint runs/{run} --split val --device cpu --json")).json();
        ["images_per_s", "checkpoint"].iter().for_each(|key| drop(found.as_object_mut().unwrap().remove(*key)));
        found
    };
    assert_eq!(eval("warm"), eval("held"));
}

/// Pictures of which more than mean and deviation are taken from are decoded while steps run.
const MANY: usize = 3000;
const SMALL: &str = r#"{"input": [3, 8, 8], "layers": [{"type": "flatten"}, {"type": "linear", "out": 2}]}"#;
const TRAIN_MANY: &str = "train many --model small.json --device cpu --batch-size 100 --epochs 2 --augment flip --name";

/// Small pictures of two classes, in colours of their own.
fn with_many_photos() -> Bench {
    let bench = Bench::new();
    fs::write(bench.path("small.json"), SMALL).unwrap();
    for (class, name) in ["left", "right"].into_iter().enumerate() {
        fs::create_dir_all(bench.path("many").join(name)).unwrap();
        for number in 0..MANY / 2 {
            let picture = picture(class, number as u64, [8, 8]);
            fs::write(bench.path("many").join(name).join(format!("{number}.bmp")), encoded(picture, ImageFormat::Bmp)).unwrap();
        }
    }
    bench
}

/// Pictures that the one cache in a folder holds.
fn kept(bench: &Bench, folder: &str) -> usize {
    let entry = fs::read_dir(bench.path(folder)).unwrap().next().expect("a cache").unwrap();
    let bytes = fs::read(entry.path()).unwrap();
    bytes[32..32 + MANY * 16].chunks(16).filter(|row| row[12] == 1).count()
}

#[test]
fn pictures_are_decoded_while_steps_run_and_a_run_killed_meanwhile_comes_to_the_same_bytes() {
    let bench = with_many_photos();
    bench.run(&format!("{TRAIN_MANY} held --in-memory on")).ok();
    // One step: it has asked for those of two batches, besides those that mean and deviation are taken from.
    bench.run(&format!("{TRAIN_MANY} begun --in-memory off --cache kept --test-images 0 --max-steps 1")).ok();
    assert!((2048..=2248).contains(&kept(&bench, "kept")), "{}", kept(&bench, "kept"));
    bench.run(&format!("{TRAIN_MANY} cold --in-memory off --cache kept")).ok();
    hold_same(&bench, "cold");
    let warm = bench.run(&format!("{TRAIN_MANY} warm --in-memory off --cache kept")).ok();
    let told = warm.stdout.lines().filter(|line| line.starts_with("epoch ") && line.contains(", stall ") && line.ends_with(" s"));
    assert_eq!(told.count(), 2, "{}", warm.stdout);
    // What lies on the device is never waited for.
    let log = fs::read_to_string(bench.path("runs/held/metrics.jsonl")).unwrap();
    let stalls: Vec<Value> = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["stall_s"].clone()).collect();
    assert_eq!(stalls.iter().filter(|stall| stall.is_number()).collect::<Vec<_>>(), [0.0, 0.0]);
    // Batches are of 100, and 2,700 are learned from: none is left out.
    assert_eq!(kept(&bench, "kept"), MANY);
    let mut halves = 0;
    for moment in 0..4u64 {
        let flags = format!("{TRAIN_MANY} killed --in-memory off --cache half --save-every 1");
        let mut child = bench.command(&flags).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let began = Instant::now();
        while !bench.path("runs/killed").exists() && child.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < Duration::from_secs(120), "no run in two minutes");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(20 * moment));
        let _ = child.kill();
        child.wait().unwrap();
        halves += usize::from(kept(&bench, "half") < MANY);
        // What it left is taken by whoever comes next: another run, and the same one.
        bench.run(&format!("{TRAIN_MANY} next --in-memory off --cache half")).ok();
        hold_same(&bench, "next");
        let ran = bench.run("train --resume runs/killed");
        assert!(ran.code == Some(0) || ran.stderr.contains("already"), "{}", ran.stderr);
        hold_same(&bench, "killed");
        ["runs/next", "runs/killed", "half"].iter().for_each(|folder| fs::remove_dir_all(bench.path(folder)).unwrap());
    }
    assert!(halves > 0, "no run was killed before its cache was full");
}

#[test]
fn a_picture_that_cannot_be_read_ends_a_run_off_memory_by_name_or_is_left_out_from_the_start() {
    let bench = with_photos();
    let cut = encoded(picture(0, 99, [64, 64]), ImageFormat::Jpeg);
    fs::write(bench.path("photos/cat/broken.jpg"), &cut[..cut.len() / 2]).unwrap();
    for (name, mode) in [("held", "on"), ("off", "off")] {
        train(&bench, &format!("{name} --skip-bad --in-memory {mode}"), "2");
    }
    hold_same(&bench, "off");
    bench
        .run(&format!("{TRAIN} --in-memory off --name ended"))
        .refused("photos/cat/broken.jpg: this JPEG image was cut short; fetch it again (--skip-bad looks at all pictures first");
}
