//! `wgrad lr-find`: what it measures, and what it leaves behind.

use super::support::Bench;
use serde_json::Value;
use std::fs;
#[cfg(unix)]
use std::io::{BufRead, BufReader};
use std::process::Stdio;

const SMALL: &str = "lr-find data --model net.json --batch-size 8";

/// What does not depend on a clock or a place.
fn numbers(mut found: Value) -> Value {
    assert!(found["images_per_s"].as_f64().is_some_and(|rate| rate > 0.0) || found["points"].as_array().unwrap().len() < 2);
    ["images_per_s", "page"].iter().for_each(|key| drop(found.as_object_mut().unwrap().remove(*key)));
    found
}

#[test]
fn the_same_settings_give_the_same_numbers_and_no_run_changes() {
    let bench = Bench::new();
    bench.train("--max-steps 3 --test-images 0 --name a").ok();
    let before = bench.contents();
    let find = |words: &str| numbers(bench.run(&format!("{SMALL} --device cpu --json {words}")).json());
    let one = find("--page one.html");
    // A page has the name of whatever it likes, that of a run too.
    assert_eq!(one, find("--name a"));
    fs::remove_file(bench.path("runs/a.html")).unwrap();
    assert_eq!(one, find("--page two.html"));
    assert_ne!(one["points"], find("--page other.html --seed 1")["points"], "the seed is used");
    assert_eq!(bench.bytes("one.html"), bench.bytes("two.html"));
    let made = ["one.html", "two.html", "other.html"].map(|name| bench.path(name));
    let after: Vec<_> = bench.contents().into_iter().filter(|(path, _)| !made.contains(path)).collect();
    assert!(after == before, "only pages are written");

    let points = one["points"].as_array().unwrap();
    let rate = |point: &Value| point["rate"].as_f64().unwrap();
    assert!(rate(&points[0]) == 1e-7 && points.windows(2).all(|pair| rate(&pair[0]) < rate(&pair[1])), "{}", points[0]);
    let suggestion = &one["suggestion"];
    let lowest = points.iter().min_by(|a, b| a["smoothed"].as_f64().unwrap().total_cmp(&b["smoothed"].as_f64().unwrap())).unwrap();
    assert!((suggestion["tenth_of_lowest"].as_f64().unwrap() / rate(lowest) * 10.0 - 1.0).abs() < 0.06, "{suggestion} {lowest}");
    assert!(suggestion["lr"].as_f64() >= suggestion["steepest"].as_f64(), "{suggestion}");
}

/// Before the first update, and after one at a rate that both have, the network is that of `wgrad train`, on the same batches.
#[test]
fn the_first_losses_are_those_of_a_run() {
    let bench = Bench::new();
    for device in proof::devices().iter().map(|device| if device.is_gpu() { "gpu" } else { "cpu" }) {
        for (number, words) in
            ["", "--accumulate 2 --augment flip,crop --optimizer adamw --sampler weighted"].into_iter().enumerate()
        {
            let found =
                bench.run(&format!("{SMALL} --device {device} {words} --from 0.01 --to 1 --steps 20 --page a.html --json")).json();
            let name = format!("{device}-{number}");
            let run = "--schedule constant --lr 0.01 --max-steps 2 --test-images 0 --log-every 1";
            bench
                .run(&format!("train --data data --model net.json --batch-size 8 --device {device} {words} {run} --name {name}"))
                .ok();
            let log = bench.log(&format!("runs/{name}"));
            for step in [0, 1] {
                let (loss, wanted) = (found["points"][step]["loss"].as_f64().unwrap(), log[step]["loss"].as_f64().unwrap());
                assert!((loss / wanted - 1.0).abs() < 1e-6, "{name}, step {step}: {loss}, {wanted} is wanted");
            }
            let third =
                bench.run(&format!("{SMALL} --device {device} {words} --from 0.02 --to 1 --steps 20 --page a.html --json")).json();
            assert_eq!(third["points"][0]["loss"], found["points"][0]["loss"], "no rate has come so far");
            assert_ne!(third["points"][1]["loss"], found["points"][1]["loss"], "another rate, another network");
        }
    }
}

#[test]
fn a_person_reads_a_sketch_and_the_rate_to_take() {
    let bench = Bench::new();
    let find = |words: &str| bench.run(&format!("{SMALL} --device cpu {words}")).ok().stdout;
    let text = find("");
    assert!(text.lines().all(|line| line.chars().count() <= 80 && !line.contains(['\x1b', '\r'])), "{text}");
    assert!(text.contains("take the larger one: --lr 0.") && text.contains("picture: runs/lr-find-cifar-10-net-1.html"), "{text}");
    assert!((10..=22).contains(&text.lines().filter(|line| line.contains(" |")).count()), "{text}");
    // A second one takes another name; one may be given, and a page be replaced, but nothing else.
    assert!(find("").contains("runs/lr-find-cifar-10-net-2.html"));
    assert!(find("--name mine --out elsewhere").contains("picture: elsewhere/mine.html"));
    find("--page runs/lr-find-cifar-10-net-1.html");
    fs::write(bench.path("letter.html"), "a letter").unwrap();
    bench.run(&format!("{SMALL} --device cpu --page letter.html")).refused("it is no report");
    assert_eq!(bench.bytes("letter.html"), b"a letter");
    // Rates at which nothing is learned, and rates that end at once.
    assert!(find("--from 1e-12 --to 1e-11").contains("the loss did not rise to four times its lowest up to 1.0e-11"));
    assert!(find("--from 1e3 --to 1e6").contains("no rate of this range lowers the loss"));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_test_and_writes_no_page() {
    let bench = Bench::new();
    let mut command = bench.command(&format!("{SMALL} --device cpu --from 1e-9 --to 1e-8 --steps 100000"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    stdout.read_line(&mut first).unwrap();
    assert!(first.starts_with("net.json on CIFAR-10"), "{first}");
    assert!(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let rest = std::io::read_to_string(stdout).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    assert!(rest.contains(" of 100000 steps") && !rest.contains("picture") && !bench.path("runs").exists(), "{rest}");
}
