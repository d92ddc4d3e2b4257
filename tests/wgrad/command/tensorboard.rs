//! The event files of a run, read by TensorBoard itself.

use super::support::Bench;
use crate::export::runtime::has_packages;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

const READ: &str = "
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1])
events.Reload()
print(json.dumps({tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()['scalars']}))
";

type Scalars = BTreeMap<String, Vec<(u64, f64)>>;

/// What the log says under the tags that TensorBoard shall show.
fn of_log(log: &[Value]) -> Scalars {
    let mut scalars = Scalars::new();
    let mut take = |tag: String, step: &Value, value: &Value| {
        let value = value.as_f64().map(|v| f64::from(v as f32));
        scalars.entry(tag).or_default().extend(value.map(|v| (step.as_u64().unwrap(), v)));
    };
    for line in log {
        let step = &line["step"];
        match (&line["test"]["last"], line.get("epoch_done")) {
            (Value::Object(last), _) => {
                ["loss", "accuracy"].iter().for_each(|key| take(format!("test/last/{key}"), step, &last[*key]))
            }
            (_, Some(_)) => ["train_loss", "val_accuracy"].iter().for_each(|key| take(format!("epoch/{key}"), step, &line[*key])),
            _ => ["loss", "lr"].iter().for_each(|key| take(format!("step/{key}"), step, &line[*key])),
        }
    }
    scalars
}

/// A run is stopped, goes on, is set back as a killed process leaves it, and goes on again: each step is shown once.
#[test]
fn tensorboard_shows_what_the_log_says() {
    let Some(python) = has_packages("tensorboard") else { return };
    let bench = Bench::new();
    bench.train("--name a --epochs 2 --tensorboard --max-steps 15").ok();
    let before = bench.bytes("runs/a/last.safetensors");
    bench.run("train --resume runs/a --max-steps 35").ok();
    fs::write(bench.path("runs/a/last.safetensors"), before).unwrap();
    bench.run("train --resume runs/a").ok();
    let output = Command::new(python).args(["-c", READ]).arg(bench.path("runs/a")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut shown: Scalars = serde_json::from_slice(&output.stdout).unwrap();
    // A test before the end is shown, but for that of the steps that were done again; the log keeps the last one alone.
    let tests = shown.iter_mut().filter(|(tag, _)| tag.starts_with("test/last/"));
    tests.for_each(|(_, points)| assert_eq!(points.drain(..points.len() - 1).map(|(step, _)| step).collect::<Vec<_>>(), [15]));
    let told = of_log(&bench.log("runs/a"));
    assert!(["step/loss", "epoch/val_accuracy", "test/last/loss"].iter().all(|tag| told.contains_key(*tag)), "{told:?}");
    told.iter().for_each(|(tag, points)| assert_eq!(shown.get(tag), Some(points), "{tag}"));
    let files = fs::read_dir(bench.path("runs/a")).unwrap().filter(|f| {
        let name = f.as_ref().unwrap().file_name();
        name.to_string_lossy().contains("tfevents")
    });
    assert_eq!(files.count(), 3, "one of each process");
}

#[test]
fn a_run_writes_no_event_file_unasked() {
    let bench = Bench::new();
    bench.train("--name a --max-steps 2 --test-images 0").ok();
    let names = bench.contents().into_iter().map(|(path, _)| path.display().to_string());
    assert!(names.into_iter().all(|name| !name.contains("tfevents")));
}
