//! Results from PyTorch, on both devices.

use std::path::PathBuf;

fn folder() -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden");
    if !path.is_dir() {
        eprintln!("skipped: no golden files at {}", path.display());
        return None;
    }
    Some(path)
}

#[test]
fn both_devices_reproduce_every_golden_case_that_is_known() {
    let Some(folder) = folder() else { return };
    for device in proof::devices() {
        let outcome = proof::golden::run(&folder, &device, "").unwrap();
        let failed: Vec<_> = outcome.rows.iter().filter(|row| !row.ok).collect();
        assert!(failed.is_empty(), "{device:?}: {failed:#?}");
        assert!(outcome.rows.len() > 150, "{} rows", outcome.rows.len());
        let known = [
            "conv2d (",
            "linear",
            "matmul",
            "batch_norm",
            "relu (",
            "cross_entropy",
            "softmax",
            "optimizer/",
            "schedule/",
            "clip_grad",
            "train_",
        ];
        for case in &outcome.unknown {
            let op = case.split_once('(').map_or(case.as_str(), |(_, op)| op);
            assert!(!known.iter().any(|k| op.starts_with(k.trim_end_matches(" ("))), "{case} should be known");
        }
    }
}
