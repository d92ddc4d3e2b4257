//! `wgrad train --trace`: what a run's time was spent on.

use super::support::{Bench, LEARNED};
use serde_json::Value;

/// Name, begin, end and step of the spans of one process of a trace.
fn spans(bench: &Bench, file: &str, process: u64) -> Vec<(String, f64, f64, u64)> {
    let trace: Value = serde_json::from_slice(&bench.bytes(file)).unwrap();
    let events = trace["traceEvents"].as_array().unwrap().iter().filter(|e| e["ph"] == "X" && e["pid"] == process);
    let us = |event: &Value, key: &str| event[key].as_f64().unwrap();
    let span = |e: &Value| {
        let begin = us(e, "ts");
        (e["name"].as_str().unwrap().to_owned(), begin, begin + us(e, "dur"), e["args"]["step"].as_u64().unwrap_or(0))
    };
    events.map(span).collect()
}

#[test]
fn a_run_that_diverges_leaves_its_trace() {
    let bench = Bench::new();
    let ran = bench.train("--lr 1e30 --schedule constant --name a --trace trace.json");
    assert!(ran.code == Some(1) && ran.stderr.contains("training diverged"), "{}", ran.stderr);
    let spans = spans(&bench, "trace.json", 1);
    assert_eq!(steps(&spans)[..1], [0]);
}

fn steps(spans: &[(String, f64, f64, u64)]) -> Vec<u64> {
    spans.iter().filter(|(name, ..)| name == "step").map(|(.., step)| *step).collect()
}

#[test]
fn a_trace_has_each_step_once_and_changes_no_bit_of_the_run() {
    let bench = Bench::new();
    bench.train("--epochs 2 --name plain").ok();
    bench.train("--epochs 2 --name traced --max-steps 30 --trace first.json").ok();
    bench.run("train --resume runs/traced --trace second.json").ok();
    let bytes = |run: &str| bench.bytes(&format!("runs/{run}/last.safetensors"));
    assert!(bytes("plain") == bytes("traced"), "a trace changes a run");
    let (first, second) = (spans(&bench, "first.json", 1), spans(&bench, "second.json", 1));
    let last = 2 * (LEARNED / 8) as u64;
    assert_eq!((steps(&first), steps(&second)), ((0..30).collect(), (30..last).collect()));
    for spans in [&first, &second] {
        assert_eq!((&spans[0].0[..], spans[0].1), ("start", 0.0));
        // One after the other, to the nanosecond that the file has.
        let overlap = spans.windows(2).find(|pair| pair[1].1 < pair[0].2 - 0.002 || pair[0].2 < pair[0].1);
        assert!(overlap.is_none(), "{overlap:?}");
        for name in ["images", "device", "losses", "validation", "test", "checkpoint", "page"] {
            assert!(spans.iter().any(|(found, ..)| found == name), "no span of {name}");
        }
    }
    // The run that ended has looked into its network.
    let layers: Vec<String> = spans(&bench, "second.json", 2).into_iter().map(|(name, ..)| name).collect();
    let side = ["0", "1", "3", "4", "6"];
    assert!(side.iter().all(|layer| layers.iter().filter(|found| found == layer).count() == 2), "{layers:?}");
}
