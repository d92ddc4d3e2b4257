//! Layer lists, and networks that cannot be trained.

use super::{Refusals, Tally};
use crate::command::support::Bench;
use std::fs;

/// A list of layers behind an input of (3, 32, 32), and what its line says.
const LAYERS: &[(&str, &str)] = &[
    (r#"{"type": "linear", "in": 7, "out": 10}"#, "linear"),
    (r#"{"type": "lineal", "out": 10}"#, "lineal"),
    (r#"{"out": 10}"#, "type"),
    (r#"{"type": "flatten"}, {"type": "linear"}"#, "linear"),
    (r#"{"type": "flatten"}, {"type": "linear", "out": 0}"#, "linear"),
    (r#"{"type": "flatten"}, {"type": "linear", "out": -1}"#, "linear"),
    (r#"{"type": "flatten"}, {"type": "linear", "out": 1e30}"#, "linear"),
    (r#"{"type": "flatten"}, {"type": "linear", "out": 18446744073709551615}"#, "linear"),
    (r#"{"type": "flatten"}, {"type": "linear", "out": 9223372036854775807}"#, "linear"),
    (r#"{"type": "flatten"}, {"type": "linear", "out": 10, "colour": 1}"#, "colour"),
    (r#"{"type": "flatten"}, {"type": "linear", "out": 7}"#, "10 classes are wanted"),
    (r#"{"type": "conv2d", "out": 8, "kernel": 0}"#, "conv2d"),
    (r#"{"type": "conv2d", "out": 8, "kernel": 33}"#, "conv2d"),
    (r#"{"type": "conv2d", "out": 8, "kernel": 3, "stride": 0}"#, "conv2d"),
    (r#"{"type": "conv2d", "out": 8, "kernel": 3, "groups": 2}"#, "conv2d"),
    (r#"{"type": "conv2d", "out": 8, "kernel": 3, "padding": 18446744073709551615}"#, "conv2d"),
    (r#"{"type": "max_pool2d", "kernel": 64}"#, "max_pool2d"),
    (r#"{"type": "dropout", "p": 1.5}"#, "dropout"),
    (r#"{"type": "dropout", "p": "half"}"#, "dropout"),
    (r#"{"type": "batch_norm", "eps": -1}"#, "batch_norm"),
    // Nothing to learn.
    ("", "no weight that is learned"),
    (r#"{"type": "relu"}, {"type": "dropout", "p": 0.5}"#, "no weight that is learned"),
    (r#"{"type": "global_avg_pool"}, {"type": "flatten"}"#, "classes are wanted"),
    (r#"{"type": "max_pool2d", "kernel": 32}, {"type": "flatten"}, {"type": "narrow"}"#, "narrow"),
    // 8 GiB of weights.
    (
        r#"{"type": "flatten"}, {"type": "linear", "out": 65535}, {"type": "linear", "out": 32768}, {"type": "linear", "out": 10}"#,
        "parameters take",
    ),
];

/// Whole files, and what their line says.
const FILES: &[(&str, &str)] = &[
    ("json", ""),
    ("json", "{"),
    ("json", "[]"),
    ("json", "null"),
    ("json", r#"{"layers": []}"#),
    ("json", r#"{"input": [3, 32, 32]}"#),
    ("json", r#"{"input": [3, 32, 32], "layers": 3}"#),
    ("json", r#"{"input": [3, 32, 32], "layers": [3]}"#),
    ("json", r#"{"input": [], "layers": []}"#),
    ("json", r#"{"input": [3, 32, 32, 1], "layers": []}"#),
    ("json", r#"{"input": [0, 32, 32], "layers": [{"type": "flatten"}]}"#),
    ("json", r#"{"input": [-3, 32, 32], "layers": [{"type": "flatten"}]}"#),
    ("json", r#"{"input": [3, 4294967296, 4294967296], "layers": [{"type": "flatten"}]}"#),
    ("json", r#"{"input": [1, 28, 28], "layers": [{"type": "flatten"}, {"type": "linear", "out": 10}]}"#),
    ("json", r#"{"input": [7], "layers": [{"type": "linear", "out": 10}]}"#),
    ("json", r#"{"input": [3, 32, 32], "layers": [], "more": 1}"#),
    ("toml", "input = [3, 32"),
    ("toml", "input = [3, 32, 32]"),
    ("toml", "input = [3, 32, 32]\nlayers = [{ type = \"linear\" }]"),
];

/// Norms of one value each: their deviation is of nothing.
const LONELY: &[&str] = &[
    r#"{"type": "flatten"}, {"type": "linear", "out": 10}, {"type": "batch_norm"}"#,
    r#"{"type": "global_avg_pool"}, {"type": "batch_norm"}, {"type": "flatten"}, {"type": "linear", "out": 10}"#,
    r#"{"type": "conv2d", "out": 8, "kernel": 32}, {"type": "batch_norm"}, {"type": "flatten"}, {"type": "linear", "out": 10}"#,
];

pub fn all(tally: &mut Tally) {
    let bench = Bench::new();
    let list = |layers: &str| format!(r#"{{"input": [3, 32, 32], "layers": [{layers}]}}"#);
    LAYERS.iter().enumerate().for_each(|(i, (layers, _))| fs::write(bench.path(&format!("l{i}.json")), list(layers)).unwrap());
    FILES.iter().enumerate().for_each(|(i, (kind, text))| fs::write(bench.path(&format!("f{i}.{kind}")), text).unwrap());
    LONELY.iter().enumerate().for_each(|(i, layers)| fs::write(bench.path(&format!("n{i}.json")), list(layers)).unwrap());
    let deep = format!("{}{}", r#"{"type": "residual", "body": ["#.repeat(3000), "]}".repeat(3000));
    fs::write(bench.path("deep.json"), list(&deep)).unwrap();
    fs::write(bench.path("deeper.json"), "[".repeat(1 << 20)).unwrap();
    let mut refusals = Refusals::new(bench, tally);
    let train = |model: &str| format!("train --data data --device cpu --batch-size 8 --max-steps 1 --model {model}");
    for (i, (_, wanted)) in LAYERS.iter().enumerate() {
        let name = format!("l{i}.json");
        refusals.refused(&train(&name), &[&name, wanted]);
    }
    for (i, (kind, _)) in FILES.iter().enumerate() {
        let name = format!("f{i}.{kind}");
        refusals.refused(&train(&name), &[&name]);
    }
    for i in 0..LONELY.len() {
        let name = format!("n{i}.json");
        refusals.refused(
            &format!("train --data data --device cpu --batch-size 1 --max-steps 1 --model {name}"),
            &[&name, "batch_norm"],
        );
    }
    for name in ["deep.json", "deeper.json"] {
        refusals.refused(&train(name), &[name]);
        refusals.refused(&format!("summary --model {name}"), &[name]);
    }
}
