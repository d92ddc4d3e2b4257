use super::*;
use crate::devices;
use safetensors::tensor::{Dtype, TensorView, serialize};
use serde_json::json;
use std::collections::HashMap;

/// A whole case: 2 * x, its gradient, and what is wrong with it by `spoil`.
fn case(name: &str, spoil: impl FnOnce(&mut Value)) -> Value {
    let mut case = json!({
        "name": name, "op": "conv2d", "attrs": {"stride": [1, 1], "padding": [0, 0], "dilation": [1, 1], "groups": 1},
        "inputs": ["x", "w"], "outputs": ["y"], "grads": ["dx", "dw"], "rtol": 1e-4, "atol": 1e-5,
    });
    spoil(&mut case);
    case
}

/// The tensors of a case of a convolution by one weight, 2.
fn tensors(name: &str) -> Vec<(String, Vec<usize>, Vec<f32>)> {
    let of = |role: &str, shape: &[usize], values: &[f32]| (format!("{name}/{role}"), shape.to_vec(), values.to_vec());
    vec![
        of("x", &[1, 1, 1, 3], &[1.0, 2.0, 3.0]),
        of("w", &[1, 1, 1, 1], &[2.0]),
        of("y", &[1, 1, 1, 3], &[2.0, 4.0, 6.0]),
        of("dy", &[1, 1, 1, 3], &[1.0, 1.0, 1.0]),
        of("dx", &[1, 1, 1, 3], &[2.0, 2.0, 2.0]),
        of("dw", &[1, 1, 1, 1], &[6.0]),
    ]
}

fn written(notes: &[(&str, String)], tensors: &[(String, Vec<usize>, Vec<f32>)]) -> (tempfile::TempDir, PathBuf) {
    let bytes: Vec<Vec<u8>> = tensors.iter().map(|(.., values)| values.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
    let views = tensors
        .iter()
        .zip(&bytes)
        .map(|((name, shape, _), bytes)| (name.clone(), TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
    let notes: HashMap<String, String> = notes.iter().map(|(key, text)| ((*key).to_owned(), text.clone())).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("golden.safetensors");
    std::fs::write(&path, serialize(views, Some(notes)).unwrap()).unwrap();
    (folder, path)
}

/// What is wrong with each, and what its row says.
fn malformed() -> Vec<(&'static str, Value, &'static str)> {
    let wrong = |what: &'static str, says: &'static str, spoil: fn(&mut Value)| (what, case(what, spoil), says);
    vec![
        wrong("no operator", "missing field `op`", |c| drop(c.as_object_mut().unwrap().remove("op"))),
        wrong("no tolerance", "missing field `rtol`", |c| drop(c.as_object_mut().unwrap().remove("rtol"))),
        wrong("a tolerance of text", "invalid type", |c| c["rtol"] = json!("small")),
        wrong("a tolerance below zero", "tolerances from 0 to 1", |c| c["atol"] = json!(-1.0)),
        wrong("a tolerance of everything", "tolerances from 0 to 1", |c| c["rtol"] = json!(1e30)),
        wrong("outputs that are a number", "invalid type", |c| c["outputs"] = json!(3)),
        wrong("no outputs", "0 outputs", |c| c["outputs"] = json!([])),
        wrong("an output of another name", "is missing", |c| c["outputs"] = json!(["z"])),
        wrong("a gradient of another name", "is missing", |c| c["grads"] = json!(["dz"])),
        wrong("no groups", "groups", |c| c["attrs"]["groups"] = json!(0)),
        wrong("more groups than channels", "x has 1 channels, w wants 2", |c| c["attrs"]["groups"] = json!(2)),
        wrong("no stride", "stride", |c| c["attrs"]["stride"] = json!([0, 1])),
        wrong("no dilation", "dilation", |c| c["attrs"]["dilation"] = json!([0, 1])),
        wrong("a padding beyond counting", "", |c| c["attrs"]["padding"] = json!([u64::MAX, 0])),
        wrong("a padding beyond any memory", "", |c| c["attrs"]["padding"] = json!([1u64 << 40, 1u64 << 40])),
        wrong("a dilation beyond counting", "", |c| c["attrs"]["dilation"] = json!([1u64 << 63, 1])),
        wrong("a stride beyond counting", "", |c| c["attrs"]["stride"] = json!([u64::MAX, u64::MAX])),
        wrong("another operator", "", |c| c["op"] = json!("linear")),
        wrong("one with labels", "is missing", |c| {
            c["op"] = json!("cross_entropy");
            c["attrs"] = json!({});
        }),
        wrong("a pooling of everything", "", |c| {
            c["op"] = json!("max_pool2d");
            c["attrs"] = json!({"kernel": [1u64 << 33, 1u64 << 33]});
        }),
        wrong("an optimiser", "is missing", |c| c["op"] = json!("optimizer/sgd")),
        ("case 21", json!([1, 2]), "this is no case"),
        ("case 22", json!(null), "this is no case"),
    ]
}

#[test]
fn a_malformed_case_is_a_row_that_failed_and_the_others_run() {
    let rows = malformed();
    let mut cases: Vec<Value> = rows.iter().map(|(_, case, _)| case.clone()).collect();
    cases.push(case("whole", |_| ()));
    let mut all: Vec<_> = rows.iter().map(|(name, ..)| *name).chain(["whole"]).flat_map(tensors).collect();
    // What only the tensors can have wrong.
    let shapes: [(&str, &str, &[usize], &[f32], &str); 4] = [
        ("x of rank 7", "x", &[1, 1, 1, 1, 1, 1, 3], &[1.0, 2.0, 3.0], "rank"),
        ("x of rank 2", "x", &[1, 3], &[1.0, 2.0, 3.0], "conv2d"),
        ("nothing in x", "x", &[0, 1, 1, 3], &[], ""),
        ("dy of another shape", "dy", &[1, 1, 1, 2], &[1.0, 1.0], ""),
    ];
    for (name, role, shape, values, _) in shapes {
        cases.push(case(name, |_| ()));
        let spoilt = (format!("{name}/{role}"), shape.to_vec(), values.to_vec());
        all.extend(tensors(name).into_iter().filter(|(key, ..)| *key != spoilt.0));
        all.push(spoilt);
    }
    let (_folder, path) = written(&[("cases", Value::from(cases).to_string())], &all);
    let says = rows.iter().map(|(name, _, says)| (*name, *says)).chain(shapes.iter().map(|(name, .., says)| (*name, *says)));
    let says: Vec<_> = says.collect();
    for device in devices() {
        let outcome = run(&path, &device, "").unwrap();
        assert_eq!((outcome.rows.len(), &outcome.unknown[..]), (says.len() + 1, &[][..]), "{outcome:#?}");
        for row in &outcome.rows {
            match says.iter().find(|(name, _)| *name == row.name) {
                Some((_, says)) => assert!(!row.ok && row.what.contains(says), "{row:?}: {says}"),
                None => assert!(row.ok && row.name == "whole", "{row:?}"),
            }
        }
        // And the device is none the worse for it.
        device.synchronize().unwrap();
    }
}

#[test]
fn a_malformed_training_is_a_row_that_failed() {
    let model = r#"{"input": [1, 1, 2], "layers": [{"type": "flatten"}, {"type": "linear", "out": 2}]}"#;
    let notes = |rtol: &str| {
        let note = |key, text: &str| (key, text.to_owned());
        vec![
            note("model", model),
            note("loss", "cross_entropy"),
            note("optimizer", r#"{"type": "sgd", "lr": 0.5}"#),
            note("rtol", rtol),
            note("atol", "1e-5"),
        ]
    };
    let of = |key: &str, shape: &[usize], values: &[f32]| (key.to_owned(), shape.to_vec(), values.to_vec());
    // One step from zeros: both classes are as likely, and the bias moves by half a gradient of one half.
    let whole = vec![
        of("init/1.weight", &[2, 2], &[0.0; 4]),
        of("init/1.bias", &[2], &[0.0; 2]),
        of("x", &[1, 1, 1, 1, 2], &[0.0, 0.0]),
        of("target", &[1, 1], &[1.0]),
        of("losses", &[1], &[std::f32::consts::LN_2]),
        of("eval_logits", &[1, 2], &[-0.25, 0.25]),
        of("final/1.weight", &[2, 2], &[0.0; 4]),
        of("final/1.bias", &[2], &[-0.25, 0.25]),
    ];
    let outcome_of = |notes: &[(&str, String)], tensors: &[(String, Vec<usize>, Vec<f32>)]| {
        let (_folder, path) = written(notes, tensors);
        run(&path, &Device::Cpu, "").unwrap()
    };
    let right = outcome_of(&notes("1e-4"), &whole);
    assert!(right.rows.len() == 4 && right.rows.iter().all(|row| row.ok), "{right:#?}");
    let spoilt = |key: &str, shape: &[usize], values: &[f32]| {
        let others = whole.iter().filter(|(k, ..)| k != key).cloned();
        others.chain([of(key, shape, values)]).collect::<Vec<_>>()
    };
    let without = |key: &str| whole.iter().filter(|(k, ..)| k != key).cloned().collect::<Vec<_>>();
    for (tensors, says) in [
        (without("x"), "`x` is missing"),
        (without("init/1.bias"), "`init/1.bias` is missing"),
        (without("final/1.bias"), "`final/1.bias` is missing"),
        (spoilt("x", &[1], &[1.0]), "(steps, N, C, H, W)"),
        (spoilt("x", &[0, 1, 1, 1, 2], &[]), ""),
        (spoilt("x", &[1, 1, 1, 1, 3], &[0.0; 3]), ""),
        (spoilt("target", &[1, 1], &[0.5]), "no class index"),
        (spoilt("target", &[1, 1], &[-1.0]), "no class index"),
        (spoilt("target", &[1, 1], &[2.0]), ""),
        (spoilt("init/1.bias", &[3], &[0.0; 3]), "1.bias"),
    ] {
        let outcome = outcome_of(&notes("1e-4"), &tensors);
        assert!(outcome.rows.iter().any(|row| !row.ok && row.what.contains(says)), "{says}: {outcome:#?}");
    }
    let outcome = outcome_of(&notes("none"), &whole);
    assert!(outcome.rows.len() == 1 && !outcome.rows[0].ok && outcome.rows[0].what.contains("`rtol`"), "{outcome:#?}");
}
