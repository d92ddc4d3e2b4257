//! Bad input and a bad environment: one clear line, exit code 2, and nothing overwritten.

use super::support::{Bench, finished, records};
use std::fs;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Instant;
use train::console::Console;
use train::data;
use train::peers::Peers;
use train::settings::{DeviceKind, Settings};
use train::trainer::{self, Order};

/// Commands whose input is wrong, and the words that say so.
#[test]
fn bad_input_is_told_in_one_line_and_leaves_nothing() {
    let bench = Bench::new();
    fs::create_dir(bench.path("empty")).unwrap();
    fs::write(bench.path("bad.toml"), "epoch = 3").unwrap();
    fs::write(bench.path("wide.json"), r#"{"input": [3, 32, 32], "layers": [{"type": "linear", "in": 7, "out": 10}]}"#).unwrap();
    fs::write(bench.path("text.png"), "no picture").unwrap();
    fs::write(bench.path("cut.safetensors"), [9, 0, 0, 0, 0, 0, 0, 0, b'{']).unwrap();
    let cases = [
        ("--data nowhere", "nowhere is not a directory"),
        ("--data empty", "holds no data set known here"),
        ("--model alexnet", "there is no model \"alexnet\"; use small-cnn, "),
        ("--model nothing.json", "reading nothing.json"),
        ("--model wide.json --data data", "linear"),
        ("--resume nowhere", "nowhere: there is no such folder"),
        ("--resume empty", "this is not the folder of a run"),
        ("--resume empty --lr 1", "--lr cannot change"),
        ("--config nothing.toml", "reading nothing.toml"),
        ("--config bad.toml", "there is no setting `epoch`; there are: data, model"),
        ("--batch-size 204 --data data --device cpu", "--batch-size 204 is more than the 203 training images"),
        ("--batch-size 0", "--batch-size 0 is out of range"),
        ("--lr=-1", "--lr -1 is out of range"),
        ("--lr 0", "--lr 0 is out of range"),
        ("--device tpu", "invalid value 'tpu' for '--device <DEVICE>' [possible values: auto, gpu, cpu]"),
        ("--epochs three", "invalid value 'three' for '--epochs <N>': invalid digit found in string (see wgrad --help)"),
        ("train --seed -1", "unexpected argument '-1' found; to pass '-1' as a value, use '-- -1' (see wgrad train --help)"),
        ("data info --colour", "(see wgrad data info --help)"),
        ("data show data --out nowhere/sheet.png", "--out nowhere/sheet.png: there is no folder nowhere"),
        ("train --data= --epochs 1", "--data is empty: is a variable not set? (see wgrad train --help)"),
        ("--colour", "unexpected argument '--colour'"),
        ("eval", "there is no run in runs/"),
        ("eval --checkpoint nothing.safetensors --device cpu", "there is no such checkpoint"),
        ("eval --checkpoint cut.safetensors --device cpu", "cut.safetensors"),
        ("eval --checkpoint empty --device cpu", "this folder holds no checkpoint"),
        ("--lenient", "--lenient says how --weights is read"),
        ("--weights nothing.safetensors --data data", "there is no such checkpoint"),
        ("eval --weights x.safetensors", "--model"),
        ("eval --weights x.safetensors --model alexnet --data data --device cpu", "there is no model \"alexnet\""),
        ("eval --weights x.safetensors --model resnet20 --data data --device cpu", "there is no such checkpoint"),
        ("predict", "required arguments were not provided"),
        ("summary --input 3x32", "three numbers are wanted"),
        ("summary --model alexnet", "there is no model \"alexnet\""),
        ("summary --input 3x1x1", "small-cnn"),
        ("verify --golden nowhere --device cpu", "reading nowhere"),
        ("verify --golden empty --device cpu", "no golden file"),
    ];
    let before = bench.contents();
    for (words, wanted) in cases {
        bench.run(words).refused(wanted);
        assert!(bench.contents() == before, "{words} changed a file");
    }
    assert!(!bench.path("runs").exists());
}

#[test]
fn a_damaged_data_set_is_named() {
    let bench = Bench::new();
    let batch = bench.path("data/data_batch_3.bin");
    let whole = fs::read(&batch).unwrap();
    fs::write(&batch, &whole[..whole.len() - 7]).unwrap();
    bench.train("").refused("data_batch_3.bin");
    let mut wrong = records(1, 2);
    wrong[3073] = 10;
    fs::write(&batch, wrong).unwrap();
    bench.train("").refused("label 10");
    assert!(!bench.path("runs").exists());
}

#[test]
fn a_checkpoint_of_another_model_or_cut_short_is_refused_and_kept() {
    let bench = Bench::new();
    bench.train("--max-steps 3 --test-images 0 --name a").ok();
    fs::write(
        bench.path("other.json"),
        r#"{"input": [3, 32, 32], "layers": [{"type": "flatten"}, {"type": "linear", "out": 10}]}"#,
    )
    .unwrap();
    bench.run("train --data data --model other.json --device cpu --max-steps 1 --test-images 0 --name b").ok();
    let last = bench.bytes("runs/a/last.safetensors");

    bench.run("eval --checkpoint runs/a --model resnet20 --device cpu").refused("a checkpoint of net.json, not of resnet20");
    fs::copy(bench.path("runs/b/last.safetensors"), bench.path("runs/a/last.safetensors")).unwrap();
    let before = bench.contents();
    bench.run("train --resume runs/a").refused("of another model");
    assert!(bench.contents() == before);

    for length in [0, 7, 100, last.len() / 2, last.len() - 1] {
        fs::write(bench.path("runs/a/last.safetensors"), &last[..length]).unwrap();
        let before = bench.contents();
        bench.run("train --resume runs/a").refused("last.safetensors");
        bench.run("eval --checkpoint runs/a/last.safetensors --data data --device cpu").refused("last.safetensors");
        assert!(bench.contents() == before, "cut at {length}");
    }
    fs::write(bench.path("text.png"), "no picture").unwrap();
    bench
        .run("predict text.png --checkpoint runs/b --device cpu")
        .refused("text.png: this is not a PNG, JPEG, WebP, BMP or GIF image");
}

#[test]
fn a_run_of_the_same_name_is_not_overwritten() {
    let bench = Bench::new();
    bench.train("--max-steps 1 --test-images 0 --name a").ok();
    let before = bench.contents();
    bench.train("--max-steps 1 --test-images 0 --name a").refused("there is a run of this name already");
    assert!(bench.contents() == before);
}

#[test]
fn a_run_on_the_images_of_a_program_is_one_that_the_command_cannot_continue() {
    let bench = Bench::new();
    let data::Dataset { classes, train, test, .. } = data::builtin::generate(200, 20);
    let settings = Settings {
        out: Some(bench.path("runs")),
        name: Some("a".into()),
        device: Some(DeviceKind::Cpu),
        max_steps: Some(1),
        test_images: Some(0),
        ..Settings::default()
    };
    let (stop, given) = (AtomicBool::new(false), data::Dataset::new("arrays", classes, train, test));
    let order = |settings, resume, given| Order {
        settings,
        resume,
        data: given,
        device: None,
        peers: Peers::alone(),
        stop: &stop,
        began: Instant::now(),
    };
    trainer::train(order(settings, None, Some(given.clone())), &mut Console::silent()).unwrap();
    bench.run("train --resume runs/a --max-steps 2").refused("images that a program had (\"arrays\")");
    // The program itself can.
    let more = Settings { max_steps: Some(2), ..Settings::default() };
    let outcome = trainer::train(order(more, Some(bench.path("runs/a")), Some(given)), &mut Console::silent()).unwrap();
    assert_eq!(outcome.steps, 2);
}

#[test]
fn an_adapter_that_does_not_exist_is_told_with_those_that_do() {
    let bench = Bench::new();
    for words in ["train", "devices", "verify", "eval --checkpoint data/test_batch.bin"] {
        let mut command = bench.command(words);
        command.env("WGRAD_ADAPTER", "Voodoo 2");
        finished(command).refused("no adapter's name contains \"Voodoo 2\", and none has it as its number; there are: ");
    }
    assert!(!bench.path("runs").exists());
}

#[test]
fn a_batch_too_large_for_the_memory_is_refused_before_anything_is_written() {
    let bench = Bench::new();
    let devices = if proof::gpu().is_some() { &["cpu", "gpu"][..] } else { &["cpu"] };
    for device in devices {
        let words = format!("train --data data --model small-cnn --batch-size 200 --device {device} --max-steps 1");
        let mut command = bench.command(&words);
        command.env("WGRAD_MEMORY_MIB", "100");
        finished(command).refused("batch");
    }
    assert!(!bench.path("runs").exists());
}

/// What there is no memory for is refused by figures, and a summary takes none.
#[test]
fn what_the_memory_does_not_hold_is_refused_and_a_summary_takes_none() {
    let bench = Bench::new();
    let large = r#"{"input": [3, 32, 32], "layers": [{"type": "conv2d", "out": 40, "kernel": 1}, {"type": "flatten"},
        {"type": "linear", "out": 1000}, {"type": "linear", "out": 10}]}"#;
    fs::write(bench.path("large.json"), large).unwrap();
    let within = |mib: &str, words: &str| {
        let mut command = bench.command(words);
        command.env("WGRAD_MEMORY_MIB", mib);
        finished(command)
    };
    let train = "train --data data --device cpu --max-steps 1 --model large.json --batch-size";
    // 160 + 40,961,000 + 10,010 of them.
    within("100", &format!("{train} 8")).refused("40971170 parameters take 655538720 bytes, 104857600 are free");
    // Room for the weights, not for what comes with them: refused where it is asked for.
    within("1", "train --data data --device cpu --max-steps 1 --model net.json --batch-size 8").refused("bytes");
    within("1", "summary --input 1x4096x4096").ok();
    let summary = bench.run("summary --json --input 1x4096x4096").json();
    assert_eq!(summary["parameters"].as_u64(), Some(671_153_834));
    assert!(!bench.path("runs").exists());
}

/// Code 3, and no panic; a run goes on to its end.
#[cfg(target_os = "linux")]
#[test]
fn output_that_nothing_takes_has_a_code_of_its_own() {
    let bench = Bench::new();
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let train = "train --data data --model net.json --batch-size 8 --device cpu --max-steps 2 --name";
    for words in ["summary", "devices", "--help", "--version", &format!("{train} a"), &format!("{train} b --json")] {
        let output = bench.command(words).stdout(full()).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{words}: {stderr}");
        assert!(stderr.contains("error: writing the output: ") && !stderr.contains("panicked"), "{words}: {stderr}");
    }
    assert!(bench.path("runs/a/last.safetensors").exists() && bench.path("runs/b/last.safetensors").exists());
    let output = bench.command("train --lr 0").stderr(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

/// A limit on the size of files is as good as a full disk: the write fails in the middle.
#[cfg(unix)]
#[test]
fn a_full_disk_while_saving_leaves_the_last_checkpoint_as_it_was() {
    let bench = Bench::new();
    bench.train("--epochs 2 --max-steps 5 --test-images 0 --name a").ok();
    let last = bench.bytes("runs/a/last.safetensors");
    let wgrad = env!("CARGO_BIN_EXE_wgrad");
    let mut shell = Command::new("sh");
    let script = format!("trap '' XFSZ; ulimit -f 8; exec '{wgrad}' train --resume runs/a");
    shell.args(["-c", &script]).current_dir(bench.path(""));
    finished(shell).refused("last.safetensors");
    assert!(bench.bytes("runs/a/last.safetensors") == last);
    let left: Vec<_> = fs::read_dir(bench.path("runs/a")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("tmp")), "{left:?}");
    // A run that cannot even begin leaves nothing, and nothing where there was nothing.
    let train = "train --data data --model net.json --batch-size 8 --device cpu --out other/runs";
    fs::create_dir(bench.path("other")).unwrap();
    let mut shell = Command::new("sh");
    let script = format!("trap '' XFSZ; ulimit -f 8; exec '{wgrad}' {train}");
    shell.args(["-c", &script]).current_dir(bench.path(""));
    finished(shell).refused("last.safetensors");
    assert_eq!(fs::read_dir(bench.path("other")).unwrap().count(), 0);
    bench.run("train --resume runs/a").ok();
}

/// Every loss of the run is finite, and what the last steps leave is not.
#[test]
fn a_run_that_diverges_keeps_its_last_finite_checkpoint_and_says_where_it_began() {
    let bench = Bench::new();
    let words = "--epochs 1 --schedule constant --momentum 0 --weight-decay 0";
    let cases = [
        ("a", "--max-steps 2"),
        ("b", "--max-steps 6 --save-every 1"),
        ("c", ""),
        ("d", "--max-steps 2 --test-images 0"),
        ("e", "--precision mixed"),
    ];
    for (name, more) in cases {
        let ran = bench.train(&format!("{words} --lr 1e30 {more} --name {name}"));
        assert_eq!(ran.code, Some(1), "{name}: {}", ran.stderr);
        let line = ran.stderr.lines().last().unwrap();
        assert!(line.contains("training diverged") && line.contains("at step ") && line.contains("first"), "{name}: {line}");
        assert!(line.contains("layer ") && line.chars().count() <= 300, "{name}: {line}");
        let last = nn::Checkpoint::read(bench.path(&format!("runs/{name}/last.safetensors"))).unwrap();
        assert_eq!(last.not_finite(), None, "{name}");
        let is_there = |file: &str| bench.path(&format!("runs/{name}/{file}")).exists();
        assert!(!is_there("best.safetensors") && !is_there(".lock"), "{name}");
        // By its own settings it diverges again.
        assert_eq!(bench.run(&format!("train --resume runs/{name}")).code, Some(1), "{name}");
        // The second saved after each step: its last weights are finite, and what they give is not.
        let code = bench.run(&format!("eval --device cpu --data data --checkpoint runs/{name}")).code;
        assert_eq!(code, Some(if name == "b" { 1 } else { 0 }), "{name}");
    }
    bench.train(&format!("{words} --lr 0.01 --max-steps 2 --name fine")).ok();
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_with_code_1() {
    let bench = Bench::new();
    let ran = bench.train("--epochs 2 --lr 1e30 --schedule constant --name a");
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("training diverged; use a lower --lr"), "{}", ran.stderr);
}
