//! Files of kinds that are no input at all, given to every place that takes a file: each place crossed with each kind.

use super::{Refusals, Tally};
use crate::command::support::Bench;
use std::fs::{self, File};
use std::process::Command;

/// What a place is given, by the stem of its file.
const KINDS: [&str; 8] = ["missing", "folder", "pipe", "endless", "sparse", "empty", "noise", "latin1"];

/// The places, `FILE` standing for the file, with the ending that it must have.
const PLACES: &[(&str, &str)] = &[
    ("train --data data --config FILE", "toml"),
    ("train FILE --device cpu", "csv"),
    ("train --data data --device cpu --model FILE", "json"),
    ("train --data data --device cpu --model FILE", "toml"),
    ("train --data data --device cpu --batch-size 8 --model net.json --weights FILE", "safetensors"),
    ("train --resume FILE", "run"),
    ("eval --device cpu --data data --checkpoint FILE", "safetensors"),
    ("eval --device cpu --data data --model net.json --weights FILE", "safetensors"),
    ("predict FILE --device cpu --checkpoint runs/a", "png"),
    ("predict FILE --device cpu --checkpoint runs/a", "jpg"),
    ("predict good.png --device cpu --checkpoint FILE", "safetensors"),
    ("export FILE --onnx x.onnx", "safetensors"),
    ("summary --model FILE", "json"),
    ("sweep FILE", "toml"),
    ("bench --device cpu --filter relu --compare FILE", "json"),
    ("verify --device cpu --golden FILE", "safetensors"),
];

/// Makes the file of a kind.
fn make(bench: &Bench, stem: &str, ending: &str) -> String {
    let name = format!("{stem}.{ending}");
    let path = bench.path(&name);
    match stem {
        "missing" => {}
        "folder" => fs::create_dir(&path).unwrap(),
        "pipe" => assert!(Command::new("mkfifo").arg(&path).status().unwrap().success()),
        "endless" => std::os::unix::fs::symlink("/dev/zero", &path).unwrap(),
        // A terabyte that takes no room.
        "sparse" => File::create(&path).unwrap().set_len(1 << 40).unwrap(),
        "empty" => fs::write(&path, "").unwrap(),
        "noise" => fs::write(&path, (0..5000u32).map(|i| ((i * i) >> 5) as u8).collect::<Vec<u8>>()).unwrap(),
        "latin1" => fs::write(&path, b"# caf\xe9\nepochs = 3\n").unwrap(),
        other => panic!("no kind {other}"),
    }
    name
}

pub fn all(tally: &mut Tally) {
    let bench = Bench::new();
    bench.train("--max-steps 1 --test-images 0 --name a").ok();
    image::RgbImage::new(4, 4).save(bench.path("good.png")).unwrap();
    let endings: std::collections::BTreeSet<&str> = PLACES.iter().map(|(_, ending)| *ending).collect();
    for ending in endings {
        KINDS.iter().for_each(|stem| drop(make(&bench, stem, ending)));
    }
    let mut refusals = Refusals::new(bench, tally);
    for (words, ending) in PLACES {
        // Settings may be none at all.
        let is_right = |stem: &str| stem == "empty" && words.contains("--config");
        for stem in KINDS.iter().filter(|stem| !is_right(stem)) {
            let name = format!("{stem}.{ending}");
            refusals.refused(&words.replace("FILE", &name), &[&name]);
        }
    }
    of_a_data_set(tally);
    of_a_run(tally);
}

/// One file of a data set in the place of another.
fn of_a_data_set(tally: &mut Tally) {
    for name in ["data_batch_2.bin", "test_batch.bin", "batches.meta.txt"] {
        for stem in &KINDS[1..] {
            let bench = Bench::new();
            let made = make(&bench, stem, "bin");
            let place = bench.path("data").join(name);
            let _ = fs::remove_file(&place);
            fs::rename(bench.path(&made), &place).unwrap();
            Refusals::new(bench, tally).refused("train --data data --model net.json --batch-size 8 --device cpu", &[name]);
        }
    }
}

/// One file of a run in the place of another.
fn of_a_run(tally: &mut Tally) {
    let bench = Bench::new();
    bench.train("--max-steps 1 --test-images 0 --name a").ok();
    let saved = ["config.toml", "last.safetensors"].map(|name| (name, bench.bytes(&format!("runs/a/{name}"))));
    for (name, bytes) in &saved {
        for stem in &KINDS[1..] {
            let place = bench.path("runs/a").join(name);
            fs::remove_file(&place).unwrap();
            let made = make(&bench, stem, "run");
            fs::rename(bench.path(&made), &place).unwrap();
            let mut refusals = Refusals::new(Bench::at(&bench.path("")), tally);
            refusals.refused("train --resume runs/a", &[name]);
            if place.is_dir() {
                fs::remove_dir(&place).unwrap()
            } else {
                fs::remove_file(&place).unwrap()
            }
            fs::write(&place, bytes).unwrap();
        }
    }
}
