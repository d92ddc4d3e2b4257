//! Runs that are ended from outside, at whatever moment: what is left is a run that can be continued, or none.

use super::support::{Bench, finished};
use gpu_core::rng::Stream;
use nn::Checkpoint;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const RUN: &str = "--epochs 3 --augment flip,crop --save-every 1 --name";
const WHOLE: [&str; 7] =
    ["best.safetensors", "config.toml", "inspection.json", "last.safetensors", "metrics.jsonl", "report.html", "test.csv"];

fn names(path: PathBuf) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(path).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn signal(name: &str, process: u32) {
    let sent = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status().unwrap();
    assert!(sent.success());
}

#[track_caller]
fn wait_for(what: &str, mut there: impl FnMut() -> bool) {
    let began = Instant::now();
    while !there() {
        assert!(began.elapsed() < Duration::from_secs(120), "no {what} in two minutes");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The run under its name, or on from where it was killed.
fn begin_or_continue_command(bench: &Bench) -> Command {
    match bench.path("runs/killed").exists() {
        true => bench.command("train --resume runs/killed"),
        false => bench.training(&format!("{RUN} killed")),
    }
}

fn begin_or_continue(bench: &Bench) -> Child {
    begin_or_continue_command(bench).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Eight kills here; `WGRAD_KILLS=50` for the long form. A run that was done before is begun anew.
#[test]
fn a_run_killed_at_any_moment_has_a_checkpoint_and_comes_to_the_same_bytes() {
    let kills = std::env::var("WGRAD_KILLS").map_or(8, |n| n.parse::<u32>().expect("WGRAD_KILLS is a number"));
    let bench = Bench::new();
    let began = Instant::now();
    bench.train(&format!("{RUN} whole")).ok();
    let (whole, moments) = (began.elapsed(), Stream::new(7, 0, 0));
    let (mut killed, mut attempt) = (0, 0);
    while killed < kills {
        let mut child = begin_or_continue(&bench);
        // Every other time while it starts.
        let share = f64::from(moments.block(attempt)[0]) / f64::from(u32::MAX);
        let until = Instant::now() + whole.mul_f64(share * if attempt.is_multiple_of(2) { 0.1 } else { 0.7 });
        attempt += 1;
        while Instant::now() < until && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        // Where it is done, there is nothing to kill.
        let _ = child.kill();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        // One that was killed after its last save has nothing left to do.
        let is_done = output.status.success() || stderr.contains("this run has done 3 epochs (75 steps) already");
        assert!(is_done || output.status.code().is_none(), "{stderr}");
        if bench.path("runs/killed").exists() {
            let last = Checkpoint::read(bench.path("runs/killed/last.safetensors")).unwrap();
            assert!(last.note_of("wgrad.progress").is_some());
        }
        match is_done {
            true => complete(&bench),
            false => killed += 1,
        }
    }
    let ran = finished(begin_or_continue_command(&bench));
    assert!(ran.code == Some(0) || ran.stderr.contains("already"), "{}", ran.stderr);
    complete(&bench);
}

/// Holds a run that is done against the one that never stopped, and takes it away.
fn complete(bench: &Bench) {
    bench.hold_same("whole", "killed");
    // What a run that was killed after its last save could not find any more is found now.
    bench.run("report runs/killed").ok();
    assert_eq!(names(bench.path("runs")), ["killed", "whole"]);
    assert_eq!(names(bench.path("runs/killed")), WHOLE);
    fs::remove_dir_all(bench.path("runs/killed")).unwrap();
}

#[test]
fn every_signal_that_asks_for_an_end_saves_and_says_how_to_go_on() {
    let bench = Bench::new();
    bench.train(&format!("{RUN} whole")).ok();
    for name in ["INT", "TERM", "HUP"] {
        let child = bench.spawn(&format!("{RUN} {name}"));
        wait_for("log", || bench.path(&format!("runs/{name}/metrics.jsonl")).is_file());
        signal(name, child.id());
        let output = child.wait_with_output().unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.code() != Some(0) {
            assert_eq!(output.status.code(), Some(130), "{name}: {stdout}");
            assert!(stdout.contains(&format!("wgrad train --resume runs/{name}")), "{stdout}");
            bench.run(&format!("train --resume runs/{name}")).ok();
        }
        bench.hold_same("whole", name);
    }
}

#[test]
fn a_hangup_that_is_ignored_stays_ignored() {
    let bench = Bench::new();
    let mut shell = Command::new("sh");
    let flags = "train --data data --model net.json --batch-size 8 --device cpu --epochs 1 --name a";
    shell.args(["-c", &format!("trap '' HUP; exec '{}' {flags}", env!("CARGO_BIN_EXE_wgrad"))]).current_dir(bench.path(""));
    let child = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("log", || bench.path("runs/a/metrics.jsonl").is_file());
    signal("HUP", child.id());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn two_processes_do_not_work_on_one_run() {
    let bench = Bench::new();
    let mut child = bench.spawn(&format!("{RUN} a --epochs 2000").replace("--epochs 3 ", ""));
    wait_for("run", || bench.path("runs/a/.lock").is_file());
    bench.run("train --resume runs/a").refused("runs/a: another process is at work on this run");
    child.kill().unwrap();
    child.wait().unwrap();
    bench.run("train --resume runs/a --max-steps 40").ok();
    assert!(!bench.path("runs/a/.lock").exists());
}

#[test]
fn a_run_is_continued_from_another_folder() {
    let bench = Bench::new();
    bench.train(&format!("{RUN} whole")).ok();
    bench.train(&format!("{RUN} moved --max-steps 30")).ok();
    let away = tempfile::tempdir().unwrap();
    let mut command = bench.command("train --resume");
    command.arg(bench.path("runs/moved")).current_dir(away.path());
    finished(command).ok();
    bench.hold_same("whole", "moved");
    assert_eq!(names(away.path().to_owned()), Vec::<String>::new());
}

/// Stopped in the middle of an epoch, of a window of the log, and with the schedule that looks at sums.
#[test]
fn what_is_counted_has_the_same_bits_wherever_a_run_is_stopped() {
    let bench = Bench::new();
    let words = "--epochs 6 --schedule plateau --test-images 0 --save-every 7 --lr 0.02 --name";
    bench.train(&format!("{words} whole")).ok();
    bench.train(&format!("{words} parts --max-steps 3")).ok();
    for until in ["4", "11", "24", "25", "26", "49", "99", "150"] {
        bench.run(&format!("train --resume runs/parts --max-steps {until}")).ok();
    }
    for file in ["last.safetensors", "config.toml"] {
        assert!(bench.bytes(&format!("runs/whole/{file}")) == bench.bytes(&format!("runs/parts/{file}")), "{file} differs");
    }
    assert_eq!(bench.log("runs/whole"), bench.log("runs/parts"));
    // In mid-epoch too: both stopped there, one of them three times before.
    bench.train(&format!("{words} once --max-steps 40")).ok();
    bench.train(&format!("{words} often --max-steps 28")).ok();
    ["33", "39", "40"].iter().for_each(|until| drop(bench.run(&format!("train --resume runs/often --max-steps {until}")).ok()));
    assert!(bench.bytes("runs/once/last.safetensors") == bench.bytes("runs/often/last.safetensors"));
}

/// What a container engine does: the command is process number 1 each time, is asked to end, then killed, and started again.
#[cfg(target_os = "linux")]
#[test]
fn a_container_is_stopped_killed_and_started_again() {
    let contained = |bench: &Bench, words: &str| {
        let inner = bench.training(words);
        let mut command = Command::new("unshare");
        command
            .args(["--user", "--map-root-user", "--pid", "--fork", "--kill-child"])
            .arg(inner.get_program())
            .args(inner.get_args());
        command.current_dir(bench.path("")).env("XDG_RUNTIME_DIR", bench.path("")).env("NODEVICE_SELECT", "1");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let can = Command::new("unshare").args(["--user", "--map-root-user", "--pid", "--fork", "true"]).status();
    if !can.is_ok_and(|status| status.success()) {
        return eprintln!("skipped: this system lets nobody have processes of their own numbers (unshare --user --pid)");
    }
    let bench = Bench::new();
    bench.train(&format!("{RUN} whole")).ok();
    // The one process in it, by its number outside.
    let inside = |child: &Child| -> Option<u32> {
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).ok()?;
        children.split_whitespace().next()?.parse().ok()
    };
    for (number, name) in ["TERM", "KILL", "KILL", "TERM"].into_iter().enumerate() {
        let first = contained(&bench, &format!("{RUN} boxed"));
        let mut command = if number == 0 { first } else { resumed(first, "runs/boxed") };
        let child = command.spawn().unwrap();
        wait_for("run", || bench.path("runs/boxed/.lock").is_file());
        std::thread::sleep(Duration::from_millis(15 * number as u64));
        if let Some(process) = inside(&child) {
            signal(name, process);
        }
        let output = child.wait_with_output().unwrap();
        assert!(Checkpoint::read(bench.path("runs/boxed/last.safetensors")).is_ok());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains("error:") || stderr.contains("already"), "{name}: {stderr}");
    }
    finished(resumed(contained(&bench, ""), "runs/boxed"));
    bench.hold_same("whole", "boxed");
    bench.run("report runs/boxed").ok();
    assert_eq!(names(bench.path("runs/boxed")), WHOLE);
}

/// The same command with other words behind `train`.
#[cfg(target_os = "linux")]
fn resumed(command: Command, run: &str) -> Command {
    let mut again = Command::new(command.get_program());
    let words: Vec<_> = command.get_args().take_while(|word| *word != "train").collect();
    again.args(words).args(["train", "--resume", run]);
    again.current_dir(command.get_current_dir().unwrap()).envs(command.get_envs().filter_map(|(k, v)| Some((k, v?))));
    again.stdout(Stdio::piped()).stderr(Stdio::piped());
    again
}
