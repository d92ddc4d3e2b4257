//! Runs that several processes compute, started by a real launcher: the bytes of one process, however many there are and however they end.

use super::support::{Bench, Ran, finished};
use crate::launcher::Launcher;
use gpu_core::rng::Stream;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const RUN: &str = "--epochs 2 --augment flip,crop --ema 0.9 --clip-norm 1 --plain-report";

fn devices() -> Vec<&'static str> {
    if gpu_core::adapters().is_empty() { vec!["cpu"] } else { vec!["cpu", "gpu"] }
}

#[test]
fn any_number_of_processes_comes_to_the_bytes_of_one() {
    let Some(mpi) = Launcher::open_mpi() else { return };
    let bench = Bench::new();
    for device in devices() {
        let run = |name: String| {
            let words = format!("{RUN} --accumulate 8 --optimizer muon --name {name}");
            bench.command(&format!("train --data data --model net.json --batch-size 8 --log-every 10 --device {device} {words}"))
        };
        let whole = format!("{device}-1");
        finished(run(whole.clone())).ok();
        for processes in [2, 4, 8] {
            let name = format!("{device}-{processes}");
            let ran = finished(mpi.of(processes, &run(name.clone()))).ok();
            assert_eq!(ran.stdout.matches("2 epochs of 25 steps").count(), 1, "one of them says so: {}", ran.stdout);
            bench.hold_same(&whole, &name);
        }
    }
    // The control: another number of parts is another run.
    finished(bench.training(&format!("{RUN} --accumulate 4 --optimizer muon --name other"))).ok();
    assert!(bench.bytes("runs/cpu-1/last.safetensors") != bench.bytes("runs/other/last.safetensors"));
}

#[test]
fn other_libraries_of_mpi_come_to_the_same_bytes() {
    let bench = Bench::new();
    finished(bench.training(&format!("{RUN} --accumulate 2 --name whole"))).ok();
    for (name, mpi) in [("mpich", Launcher::mpich()), ("standard", Launcher::standard())] {
        let Some(mpi) = mpi else { continue };
        // As many parts as processes, where nobody says how many.
        finished(mpi.of(2, &bench.training(&format!("{RUN} --name {name}")))).ok();
        bench.hold_same("whole", name);
    }
}

#[test]
fn a_run_goes_on_with_another_number_of_processes() {
    let Some(mpi) = Launcher::open_mpi() else { return };
    let bench = Bench::new();
    finished(bench.training(&format!("{RUN} --accumulate 8 --name whole"))).ok();
    let stop = |steps| format!("--max-steps {steps}");
    finished(mpi.of(8, &bench.training(&format!("{RUN} --accumulate 8 --name parts {}", stop(7))))).ok();
    finished(mpi.of(2, &bench.command(&format!("train --resume runs/parts {}", stop(20))))).ok();
    finished(bench.command(&format!("train --resume runs/parts {}", stop(30)))).ok();
    finished(mpi.of(4, &bench.command("train --resume runs/parts"))).ok();
    bench.hold_same("whole", "parts");
}

/// Those that have the folder of the bench as their own, by /proc.
fn alive(bench: &Bench) -> Vec<u32> {
    let folder = fs::canonicalize(bench.path(".")).unwrap();
    let is_ours = |process: &Path| {
        let is_command = fs::read_link(process.join("exe")).is_ok_and(|exe| exe == Path::new(env!("CARGO_BIN_EXE_wgrad")));
        is_command && fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == folder)
    };
    let processes = fs::read_dir("/proc").unwrap().flatten().filter(|entry| is_ours(&entry.path()));
    processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// How long it takes until none of them is alive.
fn until_gone(bench: &Bench) -> Duration {
    let since = Instant::now();
    while !alive(bench).is_empty() {
        assert!(since.elapsed() < Duration::from_secs(20), "{:?} live on", alive(bench));
        std::thread::sleep(Duration::from_millis(5));
    }
    since.elapsed()
}

fn kill(signal: &str, process: u32) {
    let _ = Command::new("kill").args([&format!("-{signal}"), &process.to_string()]).stderr(Stdio::null()).status();
}

fn ended(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// The run under its name, or on from where it was.
fn begun(mpi: &Launcher, bench: &Bench, name: &str) -> Child {
    let command = match bench.path("runs").join(name).exists() {
        true => bench.command(&format!("train --resume runs/{name}")),
        false => {
            bench.training(&format!("{RUN} --epochs 8 --accumulate 4 --save-every 1 --name {name}").replace("--epochs 2 ", ""))
        }
    };
    mpi.of(4, &command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Three kills here; `WGRAD_KILLS=20` for the long form.
#[test]
fn one_that_is_killed_takes_all_with_it_and_the_run_goes_on_to_the_same_bytes() {
    let Some(mpi) = Launcher::open_mpi() else { return };
    let kills = std::env::var("WGRAD_KILLS").map_or(3, |n| n.parse::<u32>().expect("WGRAD_KILLS is a number"));
    let bench = Bench::new();
    let began = Instant::now();
    ended(begun(&mpi, &bench, "whole")).ok();
    let (whole, moments) = (began.elapsed(), Stream::new(3, 0, 0));
    let (mut killed, mut attempt) = (0, 0);
    while killed < kills {
        let child = begun(&mpi, &bench, "killed");
        let drawn = moments.block(attempt);
        attempt += 1;
        std::thread::sleep(whole.mul_f64(f64::from(drawn[0]) / f64::from(u32::MAX) * 0.6));
        let victims = alive(&bench);
        if let Some(&victim) = victims.get(drawn[1] as usize % victims.len().max(1)) {
            kill("KILL", victim);
            eprintln!("all of them were gone after {:.2} s", until_gone(&bench).as_secs_f64());
            killed += 1;
        }
        ended(child);
        let last = bench.path("runs/killed/last.safetensors");
        assert!(!last.exists() || nn::Checkpoint::read(&last).is_ok(), "its checkpoint is whole");
    }
    let done = ended(begun(&mpi, &bench, "killed"));
    assert!(done.code == Some(0) || done.stderr.contains("already"), "{}", done.stderr);
    bench.hold_same("whole", "killed");
}

#[test]
fn a_signal_to_the_launcher_saves_at_one_step() {
    let Some(mpi) = Launcher::open_mpi() else { return };
    let bench = Bench::new();
    ended(begun(&mpi, &bench, "whole")).ok();
    for signal in ["TERM", "INT"] {
        let name = format!("stopped-{signal}");
        let child = begun(&mpi, &bench, &name);
        let log = bench.path("runs").join(&name).join("metrics.jsonl");
        let since = Instant::now();
        while fs::read_to_string(&log).map_or(0, |text| text.lines().count()) < 2 {
            assert!(since.elapsed() < Duration::from_secs(60), "no two lines in a minute");
            std::thread::sleep(Duration::from_millis(2));
        }
        kill(signal, child.id());
        let ran = ended(child);
        assert!(ran.stdout.contains(&format!("wgrad train --resume runs/{name}")), "{signal}: {}\n{}", ran.stdout, ran.stderr);
        // The launcher may be gone a moment before its last process.
        until_gone(&bench);
        ended(begun(&mpi, &bench, &name)).ok();
        bench.hold_same("whole", &name);
    }
}

/// What the command itself says: launchers have words of their own when one of theirs fails.
fn errors(ran: &Ran) -> Vec<&str> {
    ran.stderr.lines().filter(|line| line.starts_with("error: ")).collect()
}

#[test]
fn what_one_of_them_cannot_do_is_told_once_and_nothing_is_left() {
    let Some(mpi) = Launcher::open_mpi() else { return };
    let bench = Bench::new();
    let train = |words: &str| bench.command(&format!("train --model net.json --device cpu --name a {words}"));
    for (second, words) in [
        ("--data nowhere", "error: process 1: nowhere"),
        ("--data data --lr 0.1", "error: process 1 has other settings or other data than process 0: lr = 0.1, not lr = 0.05"),
        (
            "--data data --batch-size 7",
            "error: process 1: --batch-size 7 cannot be shared by 2 processes; 8 can, of which each has 4",
        ),
    ] {
        let ran = finished(mpi.of_each(&train("--data data"), &train(second)));
        let told = errors(&ran);
        assert_eq!(told.len(), 1, "{second}: {}", ran.stderr);
        assert!(told[0].starts_with(words), "{second}: {}", told[0]);
        assert!(ran.code != Some(0) && !bench.path("runs").exists(), "{second}");
    }
    let cannot = finished(mpi.of(3, &bench.training("--accumulate 8")));
    assert_eq!(errors(&cannot).len(), 1, "{}", cannot.stderr);
    assert!(errors(&cannot)[0].contains("--accumulate 8 cannot be shared by 3 processes with the same bits"), "{}", cannot.stderr);
    // A run that all of them find to have diverged is told once.
    let diverged = finished(mpi.of(2, &bench.training("--lr 1e30 --schedule constant --name b")));
    assert_eq!(errors(&diverged).len(), 1, "{}", diverged.stderr);
    assert!(errors(&diverged)[0].contains("training diverged"), "{}", diverged.stderr);
}

#[test]
fn copies_that_know_nothing_of_one_another_are_refused() {
    let bench = Bench::new();
    let launched = |name: &str, library: &str| {
        let mut command = bench.training("");
        finished({
            command.env(name, "4").env("WGRAD_MPI", library);
            command
        })
    };
    let none = launched("OMPI_COMM_WORLD_SIZE", "/nowhere/libmpi.so");
    none.refused("4 copies were started (OMPI_COMM_WORLD_SIZE=4) but no MPI library answers (tried /nowhere/libmpi.so)");
    if Launcher::open_mpi().is_some() {
        launched("PMI_SIZE", "libmpi.so.40").refused("knows of 1: it is not the launcher's MPI; name that by WGRAD_MPI");
    }
    assert!(!bench.path("runs").exists());
    for command in ["sweep sweep.toml", "lr-find"] {
        let mut command = bench.command(command);
        command.env("PMI_SIZE", "4");
        finished(command).refused("4 copies of wgrad ");
    }
}
