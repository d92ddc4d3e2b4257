//! `wgrad verify` from outside.

use super::support::{Bench, finished};

#[test]
fn verify_holds_a_kernel_and_notices_a_planted_fault() {
    if proof::gpu().is_none() {
        return;
    }
    let bench = Bench::new();
    let result = bench.run("verify --filter relu --json").json();
    let rows = result["rows"].as_array().unwrap();
    assert!(result["failed"].as_u64() == Some(0) && result["passed"].as_u64() == Some(rows.len() as u64), "{result}");
    for key in ["name", "what", "error", "bound", "ok"] {
        assert!(rows.iter().all(|row| !row[key].is_null()), "{key}: {rows:?}");
    }
    let result = bench.run("verify --self-test --filter relu --json").json();
    assert!(result["failed"].as_u64() == Some(0) && result["passed"].as_u64() >= Some(2), "{result}");
}

#[test]
fn training_steps_agree_layer_by_layer() {
    let Some(device) = proof::gpu() else { return };
    let rows = train::verify::network("small-cnn", &device, 2, 0).unwrap();
    let failed: Vec<_> = rows.iter().filter(|row| !row.ok).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    // Of 17 layers what they give and the gradients of their inputs; of 14 parameters; losses; changes with 8 running statistics.
    assert_eq!(rows.len(), 17 + 17 + 14 + 2 + 22, "{rows:#?}");
}

#[test]
fn a_verification_of_nothing_is_refused() {
    let bench = Bench::new();
    bench.run("verify --self-test --device cpu --filter no-such-kernel").refused("nothing has \"no-such-kernel\" in its name");
}

/// Mirrors would be compared with themselves.
#[test]
fn without_a_gpu_there_is_nothing_to_verify() {
    let bench = Bench::new();
    bench.run("verify --device cpu --filter relu").refused("the CPU device has no kernels but the mirrors");
    let mut command = bench.command("verify --filter relu");
    command.env("VK_DRIVER_FILES", "nowhere").env("VK_ICD_FILENAMES", "nowhere").env_remove("WGRAD_ADAPTER");
    finished(command).refused("no GPU adapter was found, so there is no kernel to verify");
}

#[test]
fn a_bench_of_nothing_is_refused_before_a_word_is_printed() {
    let end = Bench::new().run("bench --device cpu --filter no-such-row");
    assert_eq!(end.stdout, "");
    end.refused("no row");
}

#[test]
fn a_bisection_and_a_report_say_what_a_maintainer_asks_for() {
    if proof::gpu().is_none() {
        return;
    }
    let bench = Bench::new();
    bench.train("--max-steps 1 --test-images 0 --name a").ok();
    let [few, all] = ["", " -v"].map(|more| bench.run(&format!("verify --filter relu{more}")).ok().stdout);
    assert!(few.lines().count() == 2 && all.lines().count() > 2 && all.contains("\nok "), "{few}{all}");
    let end = bench.run("verify --bisect runs/a/last.safetensors --report report.json").ok();
    assert!(end.stdout.contains(" passed, 0 failed"), "{}", end.stdout);
    let report: serde_json::Value = serde_json::from_slice(&bench.bytes("report.json")).unwrap();
    for key in ["wgrad", "system", "command", "environment", "adapter", "device", "rows", "passed", "failed"] {
        assert!(!report[key].is_null(), "{key}: {report}");
    }
    assert!(report["adapter"]["driver"].is_string() && report["rows"].as_array().unwrap().len() > 10, "{report}");
    bench.run("verify --filter relu --report data").refused("--report data");
    bench.run("verify --bisect data/test_batch.bin").refused("data/test_batch.bin");
}
