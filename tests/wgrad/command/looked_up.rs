//! What can be looked up: the types of layers, and the settings of a run that is not made.

use super::support::Bench;
use std::fs;

#[test]
fn the_types_of_layers_fit_eighty_columns_and_each_example_is_a_network() {
    let bench = Bench::new();
    let text = bench.run("layers").ok().stdout;
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.contains("\nmax_pool2d            kernel, [stride], padding=0, dilation=1, ceil_mode=false\n"), "{text}");
    let kinds = bench.run("layers --json").json();
    for kind in kinds.as_array().unwrap() {
        let name = kind["type"].as_str().unwrap();
        let text = bench.run(&format!("layers {name}")).ok().stdout;
        fs::write(bench.path("one.json"), &text[text.find("\n{").unwrap()..]).unwrap();
        bench.run("summary --model one.json").ok();
    }
    bench.run("layers conv5d").refused("there is no layer \"conv5d\"; wgrad layers lists them");
}

/// The lines of a file of settings, without those that name places.
fn settings(text: &str) -> Vec<&str> {
    let places = ["data ", "model ", "out ", "name ", "data-fingerprint ", "max-steps "];
    text.lines().filter(|line| places.iter().all(|key| !line.starts_with(key))).collect()
}

#[test]
fn the_settings_of_a_run_are_told_without_one() {
    let bench = Bench::new();
    let before = bench.contents();
    let told = bench.run("config data --model net.json --lr 0.03 --optimizer adam").ok().stdout;
    assert_eq!(bench.contents(), before, "nothing is written");
    fs::write(bench.path("told.toml"), &told).unwrap();
    bench.run("train --config told.toml --max-steps 1 --name a --device cpu").ok();
    let made = String::from_utf8(bench.bytes("runs/a/config.toml")).unwrap();
    let made = made.replace("device = \"cpu\"", "device = \"auto\"");
    assert_eq!(settings(&told), settings(&made));
    assert!(told.contains("lr = 0.03\n") && told.contains("optimizer = \"adam\"\n"), "{told}");
    let object = bench.run("config data --model net.json --lr 0.03 --json").json();
    assert_eq!((object["lr"].as_f64(), object["optimizer"].as_str()), (Some(0.03), Some("sgd")));
    let of_run = bench.run("config --resume runs/a --epochs 9").ok().stdout;
    assert!(of_run.contains("epochs = 9\n") && of_run.contains("lr = 0.03\n"), "{of_run}");
    bench.run("config --resume runs/a --lr 1").refused("cannot change");
    bench.run("config data --lr=-1").refused("--lr");
}
