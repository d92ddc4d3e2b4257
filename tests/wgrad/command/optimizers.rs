//! Optimisers and schedules by name, and what else a step may have.

use super::support::Bench;
use nn::Checkpoint;
use std::fs;

const PAIRS: [(&str, &str); 11] = [
    ("sgd --clip-value 0.01 --nesterov --decay-weights-only", "multi-step"),
    ("adam", "exponential"),
    ("adamw --clip-norm 0.5 --ema 0.9", "linear"),
    ("rmsprop --momentum 0.5", "polynomial"),
    ("adagrad --accumulate 2", "cosine-restarts"),
    ("adadelta", "linear"),
    ("lion", "one-cycle"),
    ("muon --ema 0.5 --accumulate 4", "cosine"),
    ("sgd", "plateau"),
    ("muon", "constant"),
    ("adam", "step"),
];

#[test]
fn every_optimizer_and_schedule_resumes_to_the_bytes_of_one_that_never_stopped() {
    let bench = Bench::new();
    for (number, (optimizer, schedule)) in PAIRS.into_iter().enumerate() {
        let words = format!("--optimizer {optimizer} --schedule {schedule} --epochs 2 --name");
        bench.train(&format!("{words} whole{number}")).ok();
        bench.train(&format!("{words} part{number} --max-steps 30")).ok();
        bench.run(&format!("train --resume runs/part{number}")).ok();
        for file in ["last.safetensors", "best.safetensors", "config.toml"] {
            let [whole, part] = ["whole", "part"].map(|run| bench.bytes(&format!("runs/{run}{number}/{file}")));
            assert!(whole == part, "{optimizer} with {schedule}: {file} differs");
        }
        let log = bench.log(&format!("runs/whole{number}"));
        let rates: Vec<f64> = log.iter().filter_map(|line| line["lr"].as_f64()).collect();
        let falls = !["constant", "plateau"].contains(&schedule);
        assert_eq!(rates[rates.len() - 1] < rates[0], falls, "{schedule}: {rates:?}");
    }
}

#[test]
fn a_wrong_name_is_answered_with_the_list() {
    let bench = Bench::new();
    let ran = bench.train("--optimizer adamax");
    assert_eq!(ran.code, Some(2));
    for name in ["sgd", "adam", "adamw", "rmsprop", "adagrad", "adadelta", "lion", "muon"] {
        assert!(ran.stderr.contains(name), "{name}: {}", ran.stderr);
    }
    let ran = bench.train("--schedule triangle");
    for name in ["multi-step", "exponential", "polynomial", "cosine-restarts", "plateau"] {
        assert!(ran.stderr.contains(name), "{name}: {}", ran.stderr);
    }
    let ran = bench.train("--accumulate 3");
    assert!(ran.code != Some(0) && ran.stderr.contains("a divisor of the batch"), "{}", ran.stderr);
    let help = bench.run("train --help").ok().stdout;
    assert!(
        ["muon:", "lion:", "rmsprop:", "plateau:", "--ema", "--clip-norm", "--clip-value", "--accumulate"]
            .iter()
            .all(|w| help.contains(w)),
        "{help}"
    );
}

#[test]
fn what_was_measured_of_an_average_is_what_is_saved_as_the_best() {
    let bench = Bench::new();
    let trained = bench.train("--epochs 1 --ema 0.9 --json --name a").json();
    let eval =
        |file: &str| bench.run(&format!("eval --device cpu --json --checkpoint runs/a/{file}.safetensors --data data")).json();
    assert_eq!(eval("best")["loss"], trained["test_loss"]);
    assert_ne!(eval("last")["loss"], trained["test_loss"], "the last checkpoint has the weights that are trained");
}

#[test]
fn a_limit_of_gradients_is_obeyed_and_kept() {
    let bench = Bench::new();
    let trained = |words: &str| bench.train(&format!("--optimizer sgd --momentum 0 --weight-decay 0 {words}")).ok();
    trained("--max-steps 5 --name free");
    trained("--max-steps 5 --name cut --clip-value 0.001");
    assert_ne!(bench.bytes("runs/free/last.safetensors"), bench.bytes("runs/cut/last.safetensors"));
    let config = String::from_utf8(bench.bytes("runs/cut/config.toml")).unwrap();
    assert!(config.contains("clip-value = 0.001"), "{config}");
}

#[test]
fn switches_of_the_update_are_obeyed_and_kept() {
    let bench = Bench::new();
    let trained = |name: &str, words: &str| {
        bench.train(&format!("--optimizer sgd --max-steps 5 --name {name} {words}")).ok();
        (
            bench.bytes(&format!("runs/{name}/last.safetensors")),
            String::from_utf8(bench.bytes(&format!("runs/{name}/config.toml"))).unwrap(),
        )
    };
    let (free, _) = trained("free", "");
    for (name, line) in [("nesterov", "nesterov = true"), ("decay-weights-only", "decay-weights-only = true")] {
        let (weights, config) = trained(name, &format!("--{name}"));
        assert!(weights != free && config.contains(line), "{name}: {config}");
        let (weights, _) = trained(&format!("{name}-off"), &format!("--{name} false"));
        assert!(
            Checkpoint::from_bytes(&weights).unwrap().arrays() == Checkpoint::from_bytes(&free).unwrap().arrays(),
            "{name} false"
        );
    }
    let ran = bench.train("--optimizer adam --nesterov");
    assert_eq!((ran.code, ran.stderr.lines().count()), (Some(2), 1), "{}", ran.stderr);
    assert!(ran.stderr.contains("--optimizer adam has none"), "{}", ran.stderr);
}

#[test]
fn a_step_in_parts_is_a_step() {
    let bench = Bench::new();
    // No layer that looks at the whole batch, or at random numbers.
    let network = r#"{"input": [3, 32, 32], "layers": [{"type": "conv2d", "out": 4, "kernel": 3, "stride": 4}, {"type": "relu"},
        {"type": "flatten"}, {"type": "linear", "in": 256, "out": 10}]}"#;
    fs::write(bench.path("net.json"), network).unwrap();
    let weights = |name: &str, words: &str| {
        bench.train(&format!("--max-steps 5 --augment none --name {name} {words}")).ok();
        Checkpoint::read(bench.path(&format!("runs/{name}/last.safetensors"))).unwrap()
    };
    let (whole, parts) = (weights("whole", ""), weights("parts", "--accumulate 4"));
    for (key, array) in whole.arrays() {
        for (want, got) in array.values.iter().zip(&parts.arrays()[key].values) {
            assert!((want - got).abs() < 1e-4, "{key}: {got} is not {want}");
        }
    }
}

#[test]
fn activations_computed_again_take_less_memory_and_leave_the_same_weights() {
    let bench = Bench::new();
    let run = |name: &str, words: &str| {
        let flags = "--data data --model resnet20 --batch-size 32 --device cpu --max-steps 2 --test-images 8 --json";
        let outcome = bench.run(&format!("train {flags} --name {name} {words}")).json();
        let file = bench.path(&format!("runs/{name}/last.safetensors"));
        (outcome["peak_bytes"].as_u64().unwrap(), Checkpoint::read(file).unwrap().arrays().clone())
    };
    let (all, want) = run("all", "");
    for (name, words) in [("root", "--checkpoint-activations"), ("four", "--checkpoint-activations 4")] {
        let (bytes, got) = run(name, words);
        assert!(5 * bytes < 4 * all, "{words}: {bytes} bytes, {all} without");
        assert!(got == want, "{words}: the weights differ");
    }
    bench.run("train --resume runs/root --max-steps 3").ok();
}

#[test]
fn a_plateau_lowers_the_rate_where_the_test_loss_stays() {
    let bench = Bench::new();
    bench.train("--schedule plateau --lr 0.000001 --epochs 12 --name a").ok();
    let rates: Vec<f64> = bench.log("runs/a").iter().filter_map(|line| line["lr"].as_f64()).collect();
    assert!(rates[rates.len() - 1] < 0.2 * rates[0] && rates[0] == rates[6], "{rates:?}");
}
