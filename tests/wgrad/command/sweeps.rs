//! `wgrad sweep`: its runs are those of `wgrad train`, and it goes on wherever it was ended.

use super::support::{Bench, Ran, finished};
use serde_json::Value;
use std::fs;
#[cfg(unix)]
use std::process::Stdio;
#[cfg(unix)]
use std::time::{Duration, Instant};

const BASE: &str =
    "[base]\ndata = \"data\"\nmodel = \"net.json\"\nbatch-size = 8\ndevice = \"cpu\"\nplain-report = true\nsave-every = 5\n";
const GRID: &str = "[search]\nlr = [1e-6, 0.01]\nseed = [0, 1]\n";

/// A bench with this file.
fn with(text: &str) -> Bench {
    let bench = Bench::new();
    fs::write(bench.path("try.toml"), text).unwrap();
    bench
}

fn grid() -> Bench {
    with(&format!("method = \"grid\"\n{BASE}epochs = 1\n{GRID}"))
}

fn runs(found: &Value) -> Vec<&str> {
    found["trials"].as_array().unwrap().iter().map(|trial| trial["run"].as_str().unwrap()).collect()
}

/// The names in a folder.
fn names(bench: &Bench, folder: &str) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(bench.path(folder)).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_grid_is_so_many_ordinary_runs_and_the_best_stands_first() {
    let bench = grid();
    let found = bench.run("sweep try.toml --json").json();
    assert_eq!((found["runs"].as_u64(), &found["search"][0], &found["sweep"]), (Some(4), &"lr".into(), &"runs/try".into()));
    assert_eq!(names(&bench, "runs/try"), ["001", "002", "003", "004", "report.html", "sweep.toml"]);
    let trials = found["trials"].as_array().unwrap();
    let accuracy = |trial: &Value| trial["val_accuracy"].as_f64().unwrap();
    assert!(trials.windows(2).all(|pair| accuracy(&pair[0]) >= accuracy(&pair[1])), "{found}");
    assert!(trials[0]["settings"]["lr"] == 0.01 && trials[3]["settings"]["lr"] == 1e-6, "{found}");
    for (number, words) in
        ["--lr 1e-6 --seed 0", "--lr 1e-6 --seed 1", "--lr 0.01 --seed 0", "--lr 0.01 --seed 1"].iter().enumerate()
    {
        let (sweep, own) = (format!("runs/try/{:03}", number + 1), format!("runs/own-{number}"));
        bench.train(&format!("--epochs 1 --plain-report {words} --name own-{number}")).ok();
        for file in ["last.safetensors", "best.safetensors", "test.csv"] {
            assert!(bench.bytes(&format!("{sweep}/{file}")) == bench.bytes(&format!("{own}/{file}")), "{sweep}: {file} differs");
        }
        let trial = trials.iter().find(|trial| trial["run"] == *format!("{:03}", number + 1)).unwrap();
        let log = bench.log(&own);
        assert_eq!(trial["val_accuracy"], log[log.len() - 2]["val_accuracy"]);
        assert_eq!(trial["test_accuracy"], log[log.len() - 1]["test"]["best"]["accuracy"]);
    }
    // Another time there is nothing to do.
    let before: Vec<_> = bench.contents().into_iter().filter(|(path, _)| path.starts_with(bench.path("runs/try"))).collect();
    let text = bench.run("sweep try.toml").ok().stdout;
    assert!(
        text.lines().all(|line| line.chars().count() <= 80) && text.contains(&format!("the best: runs/try/{}", runs(&found)[0])),
        "{text}"
    );
    assert_eq!(bench.run("sweep try.toml --json").json(), found);
    assert!(before.iter().all(|file| bench.contents().contains(file)), "nothing was done again");
    bench.run("runs runs/try --sort val").ok();
    // Another file of that name is another sweep.
    fs::write(bench.path("try.toml"), format!("method = \"grid\"\n{BASE}epochs = 2\n{GRID}")).unwrap();
    bench.run("sweep try.toml").refused("runs/try: this folder is of a sweep with another sweep.toml; give another --name");
    bench.run("sweep try.toml --out . --name data").refused("data: this folder is of no sweep");
}

#[test]
fn a_run_that_diverges_is_the_worst_and_is_not_begun_again() {
    let bench = with(&format!("method = \"grid\"\n{BASE}epochs = 1\n[search]\nlr = [1e30, 1e-6, 0.01]\n"));
    let ran = bench.run("sweep try.toml --json");
    assert!(ran.stderr.contains("001: the loss is"), "{}", ran.stderr);
    let found = ran.json();
    let last = &found["trials"][2];
    assert_eq!((runs(&found)[2], &last["val_accuracy"], &last["settings"]["lr"]), ("001", &Value::Null, &1e30.into()));
    assert!(last["diverged"].as_str().unwrap().contains("training diverged"), "{last}");
    let before = bench.contents();
    let again = bench.run("sweep try.toml --json");
    assert!(!again.stderr.contains("001: the loss is") && again.json() == found && bench.contents() == before);
}

#[test]
fn more_random_runs_have_the_first_ones_among_them() {
    let file = |runs: u64| {
        let search = "[search]\nlr = { min = 1e-4, max = 0.1, log = true }\nmomentum = { min = 0.5, max = 0.95 }\n";
        format!("method = \"random\"\nruns = {runs}\nseed = 5\n{BASE}max-steps = 25\nepochs = 1\n{search}")
    };
    let bench = with(&file(2));
    bench.run("sweep try.toml").ok();
    let first = bench.bytes("runs/try/001/config.toml");
    fs::write(bench.path("try.toml"), file(3)).unwrap();
    let found = bench.run("sweep try.toml --json").json();
    assert!(found["trials"].as_array().unwrap().len() == 3 && bench.bytes("runs/try/001/config.toml") == first);
    let values = |key: &str| {
        found["trials"].as_array().unwrap().iter().map(|trial| trial["settings"][key].as_f64().unwrap()).collect::<Vec<_>>()
    };
    assert!(values("lr").iter().all(|lr| (1e-4..=0.1).contains(lr)) && values("momentum").iter().all(|m| (0.5..=0.95).contains(m)));
}

#[test]
fn halving_trains_the_best_anew_for_longer() {
    let search = "[search]\nlr = { min = 1e-6, max = 0.03, log = true }\n";
    let bench = with(&format!("method = \"halving\"\nruns = 4\neta = 2\n{BASE}{search}"));
    let found = bench.run("sweep try.toml --json").json();
    assert_eq!(found["runs"].as_u64(), Some(7));
    let folders: Vec<_> = names(&bench, "runs/try").into_iter().filter(|name| !name.contains('.')).collect();
    assert_eq!(folders.len(), 7);
    let [first, second, third] = [0, 1, 2].map(|rung| {
        let trials = found["trials"].as_array().unwrap().iter().filter(|trial| trial["rung"] == rung);
        trials
            .map(|trial| {
                (trial["number"].as_u64().unwrap(), trial["val_accuracy"].as_f64().unwrap(), trial["epochs"].as_u64().unwrap())
            })
            .collect::<Vec<_>>()
    });
    assert_eq!([first.len(), second.len(), third.len()], [4, 2, 1]);
    assert!(first.iter().all(|run| run.2 == 1) && second.iter().all(|run| run.2 == 2) && third[0].2 == 4);
    // Best first: those of a rung that go on are the first of it.
    let went_on = |of: &[(u64, f64, u64)], to: &[(u64, f64, u64)]| {
        let (mut a, mut b): (Vec<u64>, Vec<u64>) =
            (of[..to.len()].iter().map(|run| run.0).collect(), to.iter().map(|run| run.0).collect());
        a.sort();
        b.sort();
        assert_eq!(a, b, "{found}");
    };
    went_on(&first, &second);
    went_on(&second, &third);
    // Its longest run is the one that its settings make.
    let (number, best) = (third[0].0, runs(&found)[0]);
    assert_eq!(best, format!("{number:03}-e4"));
    bench.run(&format!("train --config runs/try/{best}/config.toml --out runs --name own")).ok();
    assert!(bench.bytes(&format!("runs/try/{best}/last.safetensors")) == bench.bytes("runs/own/last.safetensors"));
}

/// The command again and again, each time ended so after a while, until it is done; `whole` is what all of it takes.
#[cfg(unix)]
fn ended_until_done(bench: &Bench, signal: &str, whole: Duration) -> (u32, Ran) {
    let mut ends = 0;
    loop {
        let mut command = bench.command("sweep try.toml --name ended");
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // The first times while it begins, the others later and later: each comes further than the one before.
        let until = Instant::now() + whole.mul_f64(0.1 + 0.05 * f64::from(ends));
        while Instant::now() < until && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ = std::process::Command::new("kill")
            .args([&format!("-{signal}"), &child.id().to_string()])
            .stderr(Stdio::null())
            .status();
        let status = child.wait().unwrap();
        if status.success() {
            return (ends, finished(bench.command("sweep try.toml --name ended --json")));
        }
        // A signal from before the command catches any ends it too.
        assert!(status.code().is_none() || (signal == "INT" && status.code() == Some(130)), "{status:?}");
        ends += 1;
        assert!(ends < 200, "it comes no further");
    }
}

#[cfg(unix)]
#[test]
fn a_sweep_that_was_killed_or_stopped_comes_to_the_same_runs() {
    for signal in ["KILL", "INT"] {
        let bench = with(&format!("method = \"grid\"\n{BASE}epochs = 4\n{GRID}"));
        let began = Instant::now();
        let mut whole = bench.run("sweep try.toml --name whole --json").json();
        let (ends, ran) = ended_until_done(&bench, signal, began.elapsed());
        assert!(ends > 0, "{signal}: it was never ended");
        let mut found = ran.json();
        for number in 1..=4 {
            for file in ["last.safetensors", "best.safetensors", "test.csv"] {
                let [one, other] = ["whole", "ended"].map(|sweep| bench.bytes(&format!("runs/{sweep}/{number:03}/{file}")));
                assert!(one == other, "{signal}: {number:03}/{file} differs");
            }
        }
        [&mut whole, &mut found].into_iter().for_each(|found| drop(found.as_object_mut().unwrap().remove("sweep")));
        assert_eq!(whole, found, "{signal}");
    }
}
