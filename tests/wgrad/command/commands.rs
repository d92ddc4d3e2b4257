//! What the commands print and leave behind when all is well.

use super::support::Bench;
use gpu_core::Device;
use nn::{Checkpoint, Init, checkpoint, zoo};
use serde_json::json;
use std::fs;
use std::process::Stdio;

#[test]
fn a_run_leaves_a_folder_and_one_json_object() {
    let bench = Bench::new();
    let result = bench.train("--epochs 2 --json").json();
    assert_eq!((result["steps"].as_u64(), result["epochs"].as_u64()), (Some(50), Some(2)));
    for key in [
        "val_accuracy",
        "val_loss",
        "test_accuracy",
        "test_loss",
        "train_loss",
        "train_accuracy",
        "images_per_s",
        "first_step_s",
        "stall_s",
        "elapsed_s",
    ] {
        assert!(result[key].is_number(), "{key}: {result}");
    }
    assert_eq!((result["device"].as_str(), result["data"].as_str()), (Some("CPU"), Some("CIFAR-10")));
    assert_eq!(result["run"].as_str(), Some("runs/cifar-10-net-1"));
    let mut files: Vec<_> = fs::read_dir(bench.path("runs/cifar-10-net-1")).unwrap().map(|e| e.unwrap().file_name()).collect();
    files.sort();
    let whole =
        ["best.safetensors", "config.toml", "inspection.json", "last.safetensors", "metrics.jsonl", "report.html", "test.csv"];
    assert_eq!(files, whole);
    let log = bench.log("runs/cifar-10-net-1");
    let steps: Vec<u64> = log.iter().map(|line| line["step"].as_u64().unwrap()).collect();
    assert_eq!(steps, [10, 20, 25, 30, 40, 50, 50, 50]);
    assert_eq!((&log[6]["val_accuracy"], &log[7]["test"]), (&result["val_accuracy"], &result["test"]));
    // The data is easy: it learned something.
    assert!(log[6]["train_loss"].as_f64() < log[2]["train_loss"].as_f64(), "{log:?}");
}

#[test]
fn a_second_run_takes_another_folder() {
    let bench = Bench::new();
    bench.train("--max-steps 1 --test-images 0").ok();
    let before = bench.contents();
    let text = bench.train("--max-steps 1 --test-images 0").ok().stdout;
    assert!(text.contains("runs/cifar-10-net-2"), "{text}");
    assert!(before.iter().all(|file| bench.contents().contains(file)), "the first run is as it was");
}

#[test]
fn what_a_person_reads_fits_80_columns_and_has_no_control_characters() {
    let bench = Bench::new();
    let ran = bench.train("--epochs 1 --name x").ok();
    for line in ran.stdout.lines().chain(ran.stderr.lines()) {
        assert!(line.chars().count() <= 80 && !line.contains(['\x1b', '\r']), "{line:?}");
    }
    assert_eq!(ran.stdout.lines().filter(|line| line.starts_with("epoch ")).count(), 1, "{}", ran.stdout);
    assert!(
        ran.stdout.contains(" images/s in training, 0.0") && ran.stdout.contains(" s of it waiting for images\n"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_settings_file_is_overruled_by_flags_and_a_run_by_its_own_config() {
    let bench = Bench::new();
    fs::write(bench.path("my.toml"), "epochs = 3\noptimizer = \"adamw\"\naugment = \"flip,crop,cutout\"\nlabel_smoothing = 0.1")
        .unwrap();
    bench.train("--config my.toml --epochs 1 --schedule cosine --warmup 5 --name a").ok();
    let config = fs::read_to_string(bench.path("runs/a/config.toml")).unwrap();
    for line in ["epochs = 1", "optimizer = \"adamw\"", "lr = 0.002", "schedule = \"cosine\"", "augment = \"flip,crop,cutout\""] {
        assert!(config.contains(line), "{line}: {config}");
    }
    bench.run("train --config runs/a/config.toml --name b").ok();
    assert_eq!(bench.bytes("runs/a/last.safetensors"), bench.bytes("runs/b/last.safetensors"));
}

#[test]
fn a_checkpoint_measures_as_in_training_and_names_pictures() {
    let bench = Bench::new();
    let trained = bench.train("--epochs 1 --json").json();
    let run = "runs/cifar-10-net-1";
    for which in ["".to_owned(), format!("--checkpoint {run}"), format!("--checkpoint {run}/last.safetensors --data data")] {
        let measured = bench.run(&format!("eval --device cpu --json {which}")).json();
        assert_eq!((&measured["accuracy"], &measured["loss"]), (&trained["test_accuracy"], &trained["test_loss"]));
        assert_eq!(measured["images"].as_u64(), Some(110), "every test image, the last 10 too");
    }
    image::RgbImage::from_pixel(50, 40, image::Rgb([150, 150, 150])).save(bench.path("grey.png")).unwrap();
    image::RgbImage::from_pixel(32, 32, image::Rgb([9, 9, 9])).save(bench.path("dark.jpg")).unwrap();
    let result = bench.run("predict grey.png dark.jpg --device cpu --json").json();
    let predictions = result["predictions"].as_array().unwrap();
    assert_eq!(predictions.len(), 2);
    for prediction in predictions {
        let classes = prediction["classes"].as_array().unwrap();
        let probabilities: Vec<f64> = classes.iter().map(|c| c["probability"].as_f64().unwrap()).collect();
        assert!(classes.len() == 5 && probabilities.is_sorted_by(|a, b| a >= b), "{prediction}");
    }
    let text = bench.run("predict grey.png --top 10 --device cpu").ok().stdout;
    let total: f64 = text.lines().skip(1).map(|line| line.split('%').next().unwrap().trim().parse::<f64>().unwrap()).sum();
    assert!((total - 100.0).abs() < 0.1, "{text}");
}

#[test]
fn names_from_outside_do_nothing_to_a_terminal() {
    let bench = Bench::new();
    bench.train("--max-steps 1 --test-images 0 --name a").ok();
    let path = bench.path("runs/a/last.safetensors");
    let checkpoint = Checkpoint::read(&path).unwrap();
    let description = checkpoint.note_of("wgrad.network").unwrap().replace("class 3", r"\u001b[2J\u202ecat\n\u007f");
    checkpoint.clone().note("wgrad.network", description).write(&path).unwrap();
    image::RgbImage::new(4, 4).save(bench.path("a.png")).unwrap();
    let text = bench.run("predict a.png --device cpu --top 10 --checkpoint runs/a").ok().stdout;
    assert!(text.contains(r"\u{1b}[2J\u{202e}cat\n\u{7f}") && text.lines().count() == 11, "{text}");
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    let ran = bench.run("predict a.png --device cpu --top 10 --json --checkpoint runs/a");
    assert!(!ran.stdout.trim_end().chars().any(char::is_control), "{:?}", ran.stdout);
    let result = ran.json();
    let classes = result["predictions"][0]["classes"].as_array().unwrap();
    assert!(classes.iter().any(|guess| guess["class"] == "\u{1b}[2J\u{202e}cat\n\u{7f}"), "{result}");
}

#[cfg(unix)]
#[test]
fn paths_that_are_no_text_are_taken_where_no_file_must_hold_them() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let bench = Bench::new();
    bench.train("--max-steps 1 --test-images 0 --name a").ok();
    let strange = |name: &[u8]| bench.path("").join(OsStr::from_bytes(&[name, b"\xff"].concat()));
    fs::rename(bench.path("runs/a"), strange(b"run")).unwrap();
    image::RgbImage::new(4, 4).save(bench.path("a.png")).unwrap();
    fs::copy(bench.path("a.png"), strange(b"picture")).unwrap();
    let run = |words: &str, more: &[&std::path::Path]| {
        let mut command = bench.command(words);
        command.args(more);
        super::support::finished(command).ok()
    };
    run("predict --device cpu --json --checkpoint", &[&strange(b"run"), &strange(b"picture")]);
    run("predict --device cpu --checkpoint", &[&strange(b"run"), &strange(b"picture")]);
    run("eval --device cpu --json --data data --checkpoint", &[&strange(b"run")]);
    let outcome = run("train --max-steps 2 --json --resume", &[&strange(b"run")]).json();
    assert!(outcome["run"].as_str().is_some_and(|path| path.contains("run\u{fffd}")), "{outcome}");
}

#[test]
fn weights_of_a_state_dict_are_measured_without_a_run() {
    let bench = Bench::new();
    let trained = bench.train("--epochs 1 --json").json();
    let eval = |words: &str| bench.run(&format!("eval --data data --device cpu --json {words}"));
    let own = eval("--model net.json --weights runs/cifar-10-net-1/last.safetensors").json();
    assert_eq!((&own["accuracy"], &own["loss"]), (&trained["test_accuracy"], &trained["test_loss"]));

    let net = zoo::build("resnet20", &Init::seeded(&Device::Cpu, 3), [3, 32, 32].into(), 10).unwrap();
    let names = zoo::torchvision("resnet20", &net).unwrap();
    checkpoint::save(&net, bench.path("ours.safetensors")).unwrap();
    checkpoint::save_state_dict(&net, bench.path("theirs.safetensors"), &names).unwrap();
    let loss = |words: &str| eval(&format!("--model resnet20 --weights {words}")).json()["loss"].clone();
    assert_eq!(loss("ours.safetensors"), loss("theirs.safetensors"));
    assert_ne!(bench.bytes("ours.safetensors"), bench.bytes("theirs.safetensors"));

    // Another head: an error that names it, or a remark.
    let net = zoo::build("resnet20", &Init::seeded(&Device::Cpu, 3), [3, 32, 32].into(), 7).unwrap();
    checkpoint::save_state_dict(&net, bench.path("seven.safetensors"), &names).unwrap();
    eval("--model resnet20 --weights seven.safetensors").refused("of another shape (2): fc.weight ([7, 64] in the file");
    let ran = eval("--model resnet20 --weights seven.safetensors --lenient").ok();
    assert!(ran.stderr.contains("passed over") && ran.stderr.contains("fc.bias ([7] in the file"), "{}", ran.stderr);
    let train = |words: &str| bench.run(&format!("train --data data --device cpu --max-steps 1 --test-images 0 {words}"));
    train("--model resnet20 --weights seven.safetensors").refused("of another shape (2): fc.weight");
    let ran = train("--model resnet20 --weights seven.safetensors --lenient --lr 1e-9 --name tuned").ok();
    assert!(ran.stderr.contains("passed over"), "{}", ran.stderr);
    assert!(fs::read_to_string(bench.path("runs/tuned/config.toml")).unwrap().contains("lenient = true"));
    // It began there, and a rate of next to nothing left it there.
    let tuned = Checkpoint::read(bench.path("runs/tuned/last.safetensors")).unwrap();
    let (got, want) = (&tuned.arrays()["9.body.0.weight"].values, Checkpoint::new().net(&net).unwrap());
    assert!(got.iter().zip(&want.arrays()["9.body.0.weight"].values).all(|(g, w)| (g - w).abs() < 1e-6));
}

#[test]
fn a_whitening_convolution_is_set_by_the_images_of_a_run() {
    let bench = Bench::new();
    let list = r#"{"input": [3, 32, 32], "layers": [{"type": "whitening_conv2d", "kernel": 2}, {"type": "relu"},
        {"type": "max_pool2d", "kernel": 31}, {"type": "flatten"}, {"type": "linear", "out": 10}]}"#;
    fs::write(bench.path("white.json"), list).unwrap();
    let weights = |run: &str, words: &str| {
        bench.run(&format!("train --data data --model white.json --device cpu --test-images 0 --name {run} {words}")).ok();
        Checkpoint::read(bench.path(&format!("runs/{run}/last.safetensors"))).unwrap().arrays()["0.weight"].values.clone()
    };
    let (one, two) = (weights("one", "--max-steps 1"), weights("two", "--max-steps 3 --seed 5"));
    // Twelve filters, and the same with the other sign; the images decide, and not the seed or the steps.
    assert!(one[..144].iter().zip(&one[144..]).all(|(a, b)| *a == -b) && one.iter().any(|w| *w != 0.0));
    assert_eq!(one, two);
}

#[test]
fn layer_lists_in_toml_and_json_train_alike() {
    let bench = Bench::new();
    let list = nn::Spec::from_json(&fs::read_to_string(bench.path("net.json")).unwrap()).unwrap();
    fs::write(bench.path("net.toml"), toml::to_string(&list).unwrap()).unwrap();
    let steps = "train --data data --device cpu --max-steps 3 --test-images 0 --json";
    let loss = |model: &str| bench.run(&format!("{steps} --model {model}")).json()["train_loss"].as_f64().unwrap();
    assert_eq!(loss("net.toml"), loss("net.json"));
}

#[test]
fn a_summary_shows_every_model() {
    let bench = Bench::new();
    for name in zoo::NAMES {
        let summary = bench.run(&format!("summary --json --model {name}")).json();
        let list = zoo::spec(name, [3, 32, 32].into(), 10).unwrap();
        assert_eq!(summary["parameters"].as_u64(), Some(list.parameters().unwrap()), "{name}");
    }
    // Vectors have a summary too, but they are no images.
    fs::write(bench.path("vectors.toml"), "input = [7]\nlayers = [{ type = \"linear\", out = 10 }]").unwrap();
    assert_eq!(bench.run("summary --json --model vectors.toml").json()["parameters"].as_u64(), Some(80));
    bench.run("train --data data --model vectors.toml --device cpu").refused("takes inputs of [7], not images");
}

#[test]
fn a_summary_counts_parameters() {
    let bench = Bench::new();
    let summary = bench.run("summary --json").json();
    // conv 864 + 9,216 + 18,432 + 36,864, batch norm 2 * (32 + 32 + 64 + 64), linear 40,970
    assert_eq!(summary["parameters"].as_u64(), Some(106_730));
    assert_eq!(summary["output"].as_array().map(Vec::len), Some(2));
    let table = bench.run("summary --model resnet20 --classes 100").ok().stdout;
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
}

#[test]
fn devices_tells_what_auto_takes() {
    let bench = Bench::new();
    let devices = bench.run("devices --json").json();
    assert!(devices["auto"].is_string() && devices["adapters"].is_array(), "{devices}");
    assert!(bench.run("devices").ok().stdout.contains("auto takes: "));
}

#[test]
fn the_runs_of_a_folder_are_listed_the_best_first() {
    let bench = Bench::new();
    bench.run("runs").refused("runs");
    for (name, lr) in [("slow", "1e-6"), ("good", "0.01")] {
        bench.train(&format!("--epochs 2 --name {name} --lr {lr}")).ok();
    }
    bench.train("--max-steps 3 --name begun --test-images 0").ok();
    let first = |order: &str| {
        let table = bench.run(&format!("runs --sort {order}")).ok().stdout;
        assert!(table.lines().count() == 5 && table.lines().all(|line| line.chars().count() <= 80), "{table}");
        table.lines().skip(1).take(3).map(|line| line.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(first("name"), ["begun", "good", "slow"]);
    assert_eq!(first("val"), ["good", "slow", "begun"], "what has no figure is last");
    assert_eq!(first("test"), ["good", "slow", "begun"]);
    assert_eq!(first("loss")[0], "good");
    let all = bench.run("runs --json").json();
    let good = &all["runs"][1];
    assert_eq!((&good["name"], &good["epoch"], &good["settings"]["lr"]), (&json!("good"), &json!(2), &json!(0.01)));
    let said = bench.run("train --resume runs/good --epochs 3 --json").json();
    assert_eq!(bench.run("runs --json").json()["runs"][1]["test_accuracy"], said["test_accuracy"]);
    bench.run("runs data").refused("data: there are no runs in this folder");
}

#[test]
fn a_shell_and_a_manual_know_every_command() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = bench.run(&format!("completions {shell}")).ok().stdout;
        assert!(["predict", "batch-size"].iter().all(|word| script.contains(word)), "{shell}");
    }
    bench.run("man pages").ok();
    let page = fs::read_to_string(bench.path("pages/wgrad-train.1")).unwrap();
    assert!(page.contains(".TH") && page.contains("clip") && bench.path("pages/wgrad.1").is_file());
    bench.run("man net.json").refused("net.json");
    bench.run("completions tcsh").refused("tcsh");
}

#[test]
fn help_names_every_command_and_a_closed_pipe_is_no_fault() {
    let bench = Bench::new();
    let help = bench.run("--help").ok().stdout;
    for word in ["train", "eval", "predict", "summary", "devices", "verify", "--epochs", "--resume"] {
        assert!(help.contains(word), "{word}: {help}");
    }
    // Short help is a screen, whatever it is asked of.
    for words in
        ["-h", "train -h", "lr-find -h", "sweep -h", "eval -h", "predict -h", "export -h", "data show -h", "bench -h", "verify -h"]
    {
        let short = bench.run(words).ok().stdout;
        let most = if words == "-h" { 24 } else { 80 };
        assert!(short.lines().count() <= most && short.lines().all(|line| line.chars().count() <= 80), "{words}:\n{short}");
    }
    assert!(
        bench.run("train -h").ok().stdout.contains("Optimisation:") && !bench.run("train -h").ok().stdout.contains("--clip-norm")
    );
    for words in ["summary", "devices", "--help", "train --data data --model net.json --device cpu --max-steps 2"] {
        let mut child = bench.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(0) && !stderr.contains("panicked"), "{words}: {stderr}");
    }
}
