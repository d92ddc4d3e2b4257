//! The best weights are chosen by images that are neither learned from nor tested on.

use super::support::{Bench, IMAGES, LEARNED, records};
use nn::Checkpoint;
use serde_json::Value;
use std::fs;

/// The lines of a log that end an epoch, and the test at its end.
fn epochs(bench: &Bench, run: &str) -> (Vec<Value>, Vec<Value>) {
    let log = bench.log(run);
    let epochs = log.iter().filter(|line| line.get("epoch_done").is_some()).cloned().collect();
    (epochs, log.into_iter().filter(|line| line.get("test").is_some()).collect())
}

/// The epoch of a checkpoint.
fn epoch_of(bench: &Bench, file: &str) -> u64 {
    let checkpoint = Checkpoint::read(bench.path(file)).unwrap();
    let progress: Value = serde_json::from_str(checkpoint.note_of("wgrad.progress").unwrap()).unwrap();
    progress["epoch"].as_u64().unwrap()
}

fn config(bench: &Bench, run: &str) -> String {
    fs::read_to_string(bench.path(run).join("config.toml")).unwrap()
}

#[test]
fn a_tenth_is_held_out_and_the_best_epoch_is_the_best_of_it() {
    let bench = Bench::new();
    let ran = bench.train("--epochs 5 --lr 0.02 --name a").ok();
    let said = format!("{LEARNED} images to learn from, {} to choose the best by, 110 to test on", IMAGES - LEARNED);
    assert!(ran.stdout.contains(&said), "{}", ran.stdout);
    assert!(config(&bench, "runs/a").contains("\nval = 22\n"), "{}", config(&bench, "runs/a"));
    let (epochs, test) = epochs(&bench, "runs/a");
    let accuracy = |line: &Value| line["val_accuracy"].as_f64().unwrap();
    assert!(epochs.iter().all(|line| line.get("test_accuracy").is_none() && accuracy(line) <= 1.0), "{epochs:?}");
    // The first one of the highest.
    let highest = epochs.iter().map(accuracy).fold(0.0, f64::max);
    let best = epochs.iter().position(|line| accuracy(line) == highest).unwrap() as u64 + 1;
    assert_eq!(epoch_of(&bench, "runs/a/best.safetensors"), best);
    let test = &test[0]["test"];
    assert_eq!(
        (test["best"]["epoch"].as_u64(), test["last"]["epoch"].as_u64(), test["images"].as_u64()),
        (Some(best), Some(5), Some(110))
    );
    let eval = |words: &str| bench.run(&format!("eval --device cpu --json {words}")).json();
    for file in ["best", "last"] {
        let found = eval(&format!("--checkpoint runs/a/{file}.safetensors"));
        assert_eq!((&found["accuracy"], &found["loss"]), (&test[file]["accuracy"], &test[file]["loss"]), "{file}");
    }
    let found = eval("--checkpoint runs/a/last.safetensors --split val");
    assert_eq!((&found["accuracy"], &found["images"], &found["split"]), (&epochs[4]["val_accuracy"], &22.into(), &"val".into()));
    assert_eq!(eval("--checkpoint runs/a --split train")["images"].as_u64(), Some(LEARNED as u64));
}

#[test]
fn the_test_images_decide_nothing() {
    let bench = Bench::new();
    let files = |name: &str| ["best", "last"].map(|file| bench.bytes(&format!("runs/{name}/{file}.safetensors")));
    bench.train("--epochs 3 --lr 0.005 --schedule plateau --patience 2 --name a").ok();
    bench.train("--epochs 3 --lr 0.02 --val test --name control").ok();
    // Other images, and labels that are all wrong.
    let mut wrong = records(9, 110);
    wrong.iter_mut().step_by(3073).for_each(|label| *label = (*label + 1) % 10);
    fs::write(bench.path("data/test_batch.bin"), wrong).unwrap();
    bench.train("--epochs 3 --lr 0.005 --schedule plateau --patience 2 --name b").ok();
    bench.train("--epochs 3 --lr 0.02 --val test --name changed").ok();
    assert!(files("a") == files("b"), "what is tested on was looked at");
    let test = |run: &str| epochs(&bench, run).1[0]["test"]["last"].clone();
    assert_ne!(test("runs/a"), test("runs/b"));
    // Where they decide, that is seen.
    assert!(files("control")[0] != files("changed")[0]);
}

#[test]
fn the_test_images_or_none_judge_where_that_is_asked_for() {
    let bench = Bench::new();
    let ran = bench.train("--epochs 2 --val test --json --name t").json();
    assert!(ran["val_accuracy"].is_null() && ran["test_accuracy"].is_number(), "{ran}");
    let (epochs_of_test, test) = epochs(&bench, "runs/t");
    assert!(epochs_of_test.iter().all(|line| line["test_loss"].is_number() && line.get("val_loss").is_none()));
    assert_eq!(epochs_of_test[1]["test_loss"], test[0]["test"]["last"]["loss"]);
    bench.run("eval --device cpu --checkpoint runs/t --split val").refused("no validation images: the run held none out (--val)");
    assert_eq!(bench.run("eval --device cpu --checkpoint runs/t --split train --json").json()["images"], IMAGES);
    let ran = bench.train("--epochs 1 --val none --json --name n").json();
    assert!(ran["val_loss"].is_null() && ran["test"]["best"].is_null() && ran["test"]["last"]["loss"].is_number(), "{ran}");
    assert!(!bench.path("runs/n/best.safetensors").exists());
    assert!(config(&bench, "runs/n").contains("val = \"none\""));
}

#[test]
fn a_run_without_progress_ends_early_and_goes_on_with_more_patience() {
    let bench = Bench::new();
    let words = "--epochs 9 --lr 1e-9 --schedule constant";
    let ran = bench.train(&format!("{words} --patience 2 --name a")).ok();
    assert!(ran.stdout.contains("ended early: no epoch after epoch 1 was better (--patience)"), "{}", ran.stdout);
    assert_eq!(epochs(&bench, "runs/a").0.len(), 3);
    bench.run("train --resume runs/a").refused("none of 3 epochs was better than epoch 1; give a larger --patience");
    bench.run("train --resume runs/a --patience 4").ok();
    bench.train(&format!("{words} --patience 4 --name whole")).ok();
    for file in ["last.safetensors", "best.safetensors", "config.toml"] {
        assert!(bench.bytes(&format!("runs/a/{file}")) == bench.bytes(&format!("runs/whole/{file}")), "{file}");
    }
    assert_eq!(bench.log("runs/a"), bench.log("runs/whole"));
    // A rate at which it learns, and all epochs are done.
    bench.train("--epochs 3 --lr 0.02 --patience 3 --name learns").ok();
    assert_eq!(epochs(&bench, "runs/learns").0.len(), 3);
}

/// Stopped in mid-epoch and between epochs, with everything that looks at the validation images.
#[test]
fn a_run_that_is_judged_resumes_to_the_bytes_of_one_that_never_stopped() {
    let bench = Bench::new();
    let words = "--epochs 8 --schedule plateau --lr 0.0005 --patience 3 --val 0.2 --save-every 7 --ema 0.9 --name";
    bench.train(&format!("{words} whole")).ok();
    bench.train(&format!("{words} parts --max-steps 3")).ok();
    for until in ["4", "22", "23", "40", "66", "67"] {
        bench.run(&format!("train --resume runs/parts --max-steps {until}")).ok();
    }
    bench.run("train --resume runs/parts").ok();
    for file in ["last.safetensors", "best.safetensors", "config.toml"] {
        assert!(bench.bytes(&format!("runs/whole/{file}")) == bench.bytes(&format!("runs/parts/{file}")), "{file}");
    }
    assert_eq!(bench.log("runs/whole"), bench.log("runs/parts"));
}

/// A folder from before there was validation.
#[test]
fn an_older_run_goes_on_as_it_began() {
    let bench = Bench::new();
    let words = "--epochs 3 --schedule plateau --name";
    bench.train(&format!("{words} whole --val test")).ok();
    bench.train(&format!("{words} old --val test --max-steps 30")).ok();
    let text = config(&bench, "runs/old");
    let older: String = text.lines().filter(|line| !line.starts_with("val =")).map(|line| format!("{line}\n")).collect();
    assert_ne!(older, text);
    fs::write(bench.path("runs/old/config.toml"), &older).unwrap();
    let path = bench.path("runs/old/last.safetensors");
    let last = Checkpoint::read(&path).unwrap();
    let mut progress: Value = serde_json::from_str(last.note_of("wgrad.progress").unwrap()).unwrap();
    assert!(progress.as_object_mut().unwrap().remove("best_epoch").is_some());
    last.note("wgrad.progress", progress.to_string()).write(&path).unwrap();
    bench.run("train --config runs/old/config.toml --name again").ok();
    bench.run("train --resume runs/old").ok();
    for file in ["last.safetensors", "best.safetensors"] {
        let whole = bench.bytes(&format!("runs/whole/{file}"));
        assert!(whole == bench.bytes(&format!("runs/again/{file}")), "{file}");
        assert!(whole == bench.bytes(&format!("runs/old/{file}")), "{file}");
    }
    assert_eq!(config(&bench, "runs/old"), config(&bench, "runs/whole"));
    assert_eq!(bench.log("runs/old"), bench.log("runs/whole"));
}
