//! The pages of `wgrad lr-find`, `wgrad sweep` and `wgrad bench` in a real browser.

use crate::command::support::{Bench, finished};
use crate::page::{elements, seen};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Holds a page to these words at two widths, and to its grounds in light and dark.
fn hold(file: &Path, wanted: &[String], place: &Path) -> bool {
    for width in [1180, 480] {
        let Some(found) = elements(file, width, place) else { return false };
        for wanted in ["data-errors=\"0\"", "data-too-wide=\"false\""].into_iter().chain(wanted.iter().map(String::as_str)) {
            assert!(
                found.contains(wanted),
                "{wanted} is missing at {width} pixels: {}",
                &found[found.find("<body").unwrap()..][..400]
            );
        }
        let [(light, white), (dark, black)] = [false, true].map(|dark| seen(file, width, dark, place).unwrap());
        assert!(light > 50 && dark > 50, "{light} and {dark} colours");
        assert!(white == [255; 3] && black.iter().all(|&value| value < 64), "{white:?} and {black:?}");
    }
    true
}

/// What is altered is noticed: each piece stands in the page once, and with another in its place the words are there.
fn notice(file: &Path, faults: &[(&str, &str, &str)], place: &Path) {
    let html = fs::read_to_string(file).unwrap();
    let altered = place.join("altered.html");
    for (right, wrong, wanted) in faults {
        assert_eq!(html.matches(right).count(), 1, "{right}");
        fs::write(&altered, html.replace(right, wrong)).unwrap();
        let found = elements(&altered, 1180, place).unwrap();
        assert!(found.contains(wanted), "{wrong}: {}", &found[found.find("<body").unwrap()..][..400]);
    }
}

#[test]
fn a_browser_shows_the_loss_over_the_rate() {
    let (bench, place) = (Bench::new(), tempfile::tempdir().unwrap());
    let found = bench.run("lr-find data --model net.json --batch-size 8 --device cpu --json --page lr.html").json();
    let rows = found["points"].as_array().unwrap().len() + 1;
    let take = format!("take this one: --lr {}", found["suggestion"]["lr"]);
    let wanted = ["data-charts=\"1\"".to_owned(), "data-suggestions=\"2\"".to_owned(), format!("data-rows=\"{rows}\""), take];
    let file = bench.path("lr.html");
    if hold(&file, &wanted, place.path()) {
        let faults = [
            ("suggested(document", "suggest(document", "data-errors=\"1\""),
            ("steps(document.getElementById(\"steps\"));", "", "data-rows=\"0\""),
            ("width: card.clientWidth - 26", "width: card.clientWidth + 26", "data-too-wide=\"true\""),
        ];
        notice(&file, &faults, place.path());
    }
}

#[test]
fn a_browser_shows_the_runs_of_a_sweep() {
    let (bench, place) = (Bench::new(), tempfile::tempdir().unwrap());
    let base = "[base]\ndata = \"data\"\nmodel = \"net.json\"\nbatch-size = 8\ndevice = \"cpu\"\nplain-report = true\nepochs = 1\n";
    let search = "[search]\nlr = [1e30, 0.001, 0.01]\naugment = [\"none\", \"flip,crop\"]\n";
    fs::write(bench.path("try.toml"), format!("method = \"grid\"\n{base}{search}")).unwrap();
    bench.run("sweep try.toml").ok();
    let file = bench.path("runs/try/report.html");
    let wanted = [
        "data-lines=\"6\"",
        "data-axes=\"3\"",
        "data-rows=\"6\"",
        ">diverged</text>",
        "flip,crop</text>",
        "href=\"001/report.html\"",
    ];
    if hold(&file, &wanted.map(str::to_owned), place.path()) {
        let faults = [
            ("table(document", "tables(document", "data-errors=\"1\""),
            ("const line = shape(\"path\"", "const line = shape(\"g\"", "data-lines=\"0\""),
            ("const all = [...axes, last]", "const all = [...axes]", "data-axes=\"2\""),
        ];
        notice(&file, &faults, place.path());
    }
}

#[test]
fn a_browser_shows_the_rows_of_a_bench_below_the_roof() {
    let (bench, place) = (Bench::new(), tempfile::tempdir().unwrap());
    let file = bench.path("bench.html");
    let roof = [("shape(\"circle\"", "shape(\"g\"", "data-points=\"0\"")];
    let steps = [
        ("training(document", "trainings(document", "data-errors=\"1\""),
        ("of now.training) {\n    const tr", "of []) {\n    const tr", "data-networks=\"0\""),
    ];
    for (rows, faults) in [("w4 512", &roof[..]), ("small-cnn b64", &steps[..])] {
        let run = |words: &str| {
            let mut command = bench.command("bench --device cpu --seconds 0");
            command.args(["--filter", rows]).args(words.split_whitespace());
            finished(command).ok()
        };
        run("--json before.json");
        run("--compare before.json --html bench.html");
        let report: Value = serde_json::from_slice(&bench.bytes("before.json")).unwrap();
        let (kernels, training) = (report["kernels"].as_array().unwrap(), report["training"].as_array().unwrap());
        let computing = kernels.iter().filter(|row| row["gflops"].as_f64().unwrap() > 0.0).count();
        let parts: usize = training.iter().map(|row| row["kernels"].as_array().unwrap().len().min(12)).sum();
        assert!(computing + training.len() > 0, "{rows}: nothing to be seen");
        let counts =
            [("points", computing), ("earlier", computing), ("roofs", usize::from(computing > 0)), ("rows", kernels.len())];
        let counts = counts.into_iter().chain([("networks", training.len()), ("parts", parts)]);
        let wanted: Vec<String> = counts.map(|(name, count)| format!("data-{name}=\"{count}\"")).collect();
        if hold(&file, &wanted, place.path()) {
            notice(&file, faults, place.path());
        }
    }
}
