//! What a run finds in its network at the end, for its page.

use super::support::{Bench, finished};
use gpu_core::Device;
use nn::Checkpoint;
use serde_json::{Value, json};
use std::fs;
use train::inspect::Inspection;

const BESIDE: &str = "The report goes without pictures and layers:";

fn found(bench: &Bench, run: &str) -> Inspection {
    Inspection::read(&bench.path(&format!("runs/{run}/inspection.json"))).unwrap()
}

/// What does not depend on a clock.
fn without_times(bench: &Bench, run: &str) -> Value {
    let mut found = serde_json::to_value(found(bench, run)).unwrap();
    found["layers"]["other_ms"] = json!(null);
    found["layers"]["rows"].as_array_mut().unwrap().iter_mut().for_each(|row| row["ms"] = json!(null));
    found
}

/// On both devices, and on from an end that was none.
#[test]
fn a_look_into_the_network_changes_no_bit_of_a_run() {
    let bench = Bench::new();
    let is_there = |run: &str| bench.path(&format!("runs/{run}/inspection.json")).exists();
    for device in proof::devices().iter().map(key) {
        let train =
            |words: &str| bench.run(&format!("train --data data --model net.json --batch-size 8 --device {device} {words}"));
        for words in [format!("--epochs 3 --name {device}"), format!("--epochs 3 --plain-report --name {device}-plain")] {
            train(&words).ok();
        }
        train(&format!("--epochs 3 --max-steps 25 --name {device}-on")).ok();
        let before = without_times(&bench, &format!("{device}-on"));
        bench.run(&format!("train --resume runs/{device}-on")).ok();
        assert_ne!(before, without_times(&bench, &format!("{device}-on")), "of the weights of then");
        assert_eq!(without_times(&bench, device), without_times(&bench, &format!("{device}-on")));
        for other in ["plain", "on"] {
            for file in ["last.safetensors", "best.safetensors", "test.csv"] {
                let [one, two] =
                    [device.to_owned(), format!("{device}-{other}")].map(|run| bench.bytes(&format!("runs/{run}/{file}")));
                assert!(one == two, "{device}: {file} differs in the {other} run");
            }
        }
        assert!(!is_there(&format!("{device}-plain")));
        assert_eq!(found(&bench, device).device == "CPU", device == "cpu");
    }
}

/// What `--device` calls it.
fn key(device: &Device) -> &'static str {
    if *device == Device::Cpu { "cpu" } else { "gpu" }
}

#[test]
fn what_is_found_is_of_the_network_and_its_test_images() {
    let bench = Bench::new();
    bench.train("--epochs 1 --freeze 1.weight --name a").ok();
    let Inspection { mistakes, maps, filters, layers, .. } = found(&bench, "a");
    let table = train::per_image::read_per_image(&bench.path("runs/a/test.csv")).unwrap();
    let mut wrong: Vec<_> = table.iter().filter(|row| row.label != row.predicted_label).collect();
    wrong.sort_by(|a, b| b.loss.total_cmp(&a.loss));
    assert!(!wrong.is_empty(), "one epoch teaches not everything");
    assert_eq!(mistakes.len(), wrong.len().min(16));
    for (shown, row) in mistakes.iter().zip(&wrong) {
        assert_eq!((shown.loss, &shown.class, &shown.said), (row.loss, &row.class, &row.predicted_class));
    }
    let maps = maps.unwrap();
    assert_eq!((&*maps.layer, maps.places), ("3", [8, 8]));
    assert!(maps.right.iter().all(|seen| seen.shown.class == seen.shown.said && seen.for_class.is_none()));
    assert!(maps.wrong.iter().zip(&mistakes).all(|(seen, shown)| seen.shown == *shown && seen.for_class.is_some()));
    let filters = filters.unwrap();
    assert_eq!((&*filters.layer, filters.in_colour, filters.count, filters.tiles.len()), ("0", true, 8, 8));
    let paths: Vec<&str> = layers.rows.iter().map(|row| &*row.path).collect();
    assert_eq!((layers.batch, paths), (8, vec!["0", "1", "2", "3", "4", "5", "6"]));
    let conv = &layers.rows[0];
    assert_eq!((conv.parameters, &conv.output[..], conv.output_bytes), (216, &[8, 8, 16, 16][..], 4 * 8 * 8 * 256));
    assert!(conv.ms.is_some_and(|[forward, backward]| forward > 0.0 && backward > 0.0));
    let counted = |at: usize| layers.rows[at].gradients.as_ref().map(|found| found.counts.iter().sum::<u32>());
    assert_eq!((counted(0), counted(1), counted(2), counted(6)), (Some(216), None, None, Some(5120)), "1.weight is frozen");
    assert!(layers.rows[1].weights.is_some() && layers.rows[2].weights.is_none());
}

#[test]
fn without_best_weights_it_is_their_average_that_is_looked_at() {
    let bench = Bench::new();
    bench.train("--epochs 1 --val none --ema 0.9 --name a").ok();
    let saved = Checkpoint::read(bench.path("runs/a/last.safetensors")).unwrap();
    let largest = |key: &str| saved.arrays()[key].values[..27].iter().fold(0f32, |largest, value| largest.max(value.abs()));
    let [last, average] = [largest("0.weight"), largest("optimizer.ema.0.weight")];
    assert!(last != average && found(&bench, "a").filters.unwrap().tiles[0].largest == average, "{last} and {average}");
}

/// The memory of the training is free again when the network is looked into; with less than that, the report goes without.
#[test]
fn a_budget_that_a_step_fits_is_enough() {
    let bench = Bench::new();
    let within = |mib: &str, words: &str| {
        let mut command = bench.command(words);
        command.env("WGRAD_MEMORY_MIB", mib);
        finished(command).ok()
    };
    let train = "train --data data --model small-cnn --batch-size 64 --max-steps 1 --val none --test-images 0";
    for device in proof::devices().iter().map(key) {
        let file = bench.path(&format!("runs/{device}/inspection.json"));
        // Half of it again would be too much.
        let ran = within("100", &format!("{train} --device {device} --name {device}"));
        assert!(file.is_file() && !ran.stderr.contains(BESIDE), "{device}: {}", ran.stderr);
        fs::remove_file(&file).unwrap();
        let ran = within("40", &format!("report runs/{device}"));
        assert!(!file.exists() && ran.stderr.contains("out of device memory") && ran.stderr.contains(BESIDE), "{}", ran.stderr);
    }
}

/// By `wgrad report`, for a run without; what stands in the way is told, and the page is written all the same.
#[test]
fn a_report_finds_what_a_run_did_not_look_for() {
    let bench = Bench::new();
    bench.train("--epochs 1 --name a").ok();
    let whole = without_times(&bench, "a");
    let forget = || fs::remove_file(bench.path("runs/a/inspection.json")).unwrap();
    forget();
    let small = fs::metadata(bench.path("runs/a/report.html")).unwrap().len();
    bench.run("report runs/a").ok();
    assert_eq!(without_times(&bench, "a"), whole);
    assert!(fs::metadata(bench.path("runs/a/report.html")).unwrap().len() > small / 2);
    forget();
    fs::rename(bench.path("data"), bench.path("moved")).unwrap();
    let ran = bench.run("report runs/a").ok();
    assert!(ran.stderr.contains(BESIDE) && !bench.path("runs/a/inspection.json").exists(), "{}", ran.stderr);
    assert!(fs::read_to_string(bench.path("runs/a/report.html")).unwrap().contains("\"inspection\":null"));
    // A plain run stays plain, unless a device is named.
    fs::rename(bench.path("moved"), bench.path("data")).unwrap();
    bench.train("--epochs 1 --plain-report --name plain").ok();
    bench.run("report runs/plain").ok();
    assert!(!bench.path("runs/plain/inspection.json").exists());
    bench.run("report runs/plain --device cpu").ok();
    assert_eq!(without_times(&bench, "plain"), whole);
    // A damaged file is refused by name.
    fs::write(bench.path("runs/a/inspection.json"), "{}").unwrap();
    bench.run("report runs/a").refused("runs/a/inspection.json: this is not the inspection of a network");
}
