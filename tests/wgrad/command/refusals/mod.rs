//! Some hundred bad inputs at every place where input comes in: each is told in one line that names it, with its exit code; nothing is
//! left behind, and nothing changes.
//!
//! Files of kinds: `fixtures.rs` makes what is given to every place that takes a file.

mod checkpoints;
mod fixtures;
mod lists;
mod tables;
mod values;

use super::support::{Bench, Ran, finished};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::SystemTime;

/// What lies below a folder: paths, lengths and times; what is no plain file or has no end is not read.
fn look(folder: &Path) -> Vec<(PathBuf, u64, Option<SystemTime>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let there = fs::symlink_metadata(&path).unwrap();
        if there.is_dir() {
            found.extend(look(&path));
        }
        found.push((path, there.len(), if there.is_dir() { None } else { there.modified().ok() }));
    }
    found.sort();
    found
}

/// What the rows came to, over all tables.
#[derive(Default)]
struct Tally {
    rows: usize,
    wrong: Vec<String>,
}

/// A folder in which commands are refused.
struct Refusals<'a> {
    bench: Bench,
    before: Vec<(PathBuf, u64, Option<SystemTime>)>,
    tally: &'a mut Tally,
}

impl<'a> Refusals<'a> {
    fn new(bench: Bench, tally: &'a mut Tally) -> Self {
        let before = look(&bench.path(""));
        Self { bench, before, tally }
    }

    /// Runs `wgrad` with these words, which must be refused with this code and in a line that has all of `wanted`.
    fn refused_with(&mut self, code: i32, words: &[OsString], variables: &[(&str, &OsStr)], wanted: &[&str]) {
        let mut command = self.bench.command("");
        command.args(words).envs(variables.iter().copied());
        let ran = finished(command);
        self.tally.rows += 1;
        let mut found: Vec<String> = faults(code, &ran, wanted);
        if look(&self.bench.path("")) != self.before {
            found.push("it left or changed a file".to_owned());
        }
        if !found.is_empty() {
            self.tally.wrong.push(format!("{words:?}: {}; it said: {}", found.join("; "), ran.stderr.trim_end()));
        }
    }

    /// The same for words as a person types them, and code 2.
    fn refused(&mut self, words: &str, wanted: &[&str]) {
        let words: Vec<OsString> = words.split_whitespace().map(Into::into).collect();
        self.refused_with(2, &words, &[], wanted);
    }
}

/// What is wrong with a refusal.
fn faults(code: i32, ran: &Ran, wanted: &[&str]) -> Vec<String> {
    let errors: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    let line = *errors.first().unwrap_or(&"");
    let checks = [
        (ran.code == Some(code), format!("code {:?}", ran.code)),
        (errors.len() == 1, format!("{} lines of errors", errors.len())),
        (ran.stderr.trim_end().lines().last() == Some(line), "something follows".to_owned()),
        (line.chars().count() <= 300, format!("{} characters", line.chars().count())),
        (!line.chars().any(char::is_control), "control characters".to_owned()),
        (!ran.stderr.contains("panicked"), "a panic".to_owned()),
    ];
    let missing = wanted.iter().filter(|wanted| !line.contains(*wanted)).map(|wanted| format!("\"{wanted}\" is wanted"));
    checks.into_iter().filter(|(holds, _)| !holds).map(|(_, what)| what).chain(missing).collect()
}

/// A path that is no UTF-8.
fn not_utf8(name: &str) -> OsString {
    OsStr::from_bytes(&[name.as_bytes(), b"\xff\xfe"].concat()).to_owned()
}

#[test]
fn every_bad_input_is_refused_by_name() {
    let tables: [fn(&mut Tally); 5] = [values::all, lists::all, checkpoints::all, fixtures::all, tables::all];
    let tallies: Vec<Tally> = thread::scope(|scope| {
        let run = |table: fn(&mut Tally)| {
            let mut tally = Tally::default();
            table(&mut tally);
            tally
        };
        let running = tables.map(|table| scope.spawn(move || run(table)));
        running.into_iter().map(|table| table.join().unwrap()).collect()
    });
    let (rows, wrong) = tallies.into_iter().fold((0, Vec::new()), |(rows, wrong), t| (rows + t.rows, [wrong, t.wrong].concat()));
    assert!(wrong.is_empty(), "{} of {rows} rows:\n{}", wrong.len(), wrong.join("\n"));
    assert!(rows >= 250, "{rows} rows");
}

/// The proof of the proof: what is not refused, or by another name, or leaves a file, is noticed.
#[test]
fn a_command_that_is_not_refused_is_noticed() {
    let wrong = |code, words: &str, wanted: &[&str]| {
        let mut tally = Tally::default();
        let words: Vec<OsString> = words.split_whitespace().map(Into::into).collect();
        Refusals::new(Bench::new(), &mut tally).refused_with(code, &words, &[], wanted);
        tally.wrong.len()
    };
    assert_eq!(wrong(2, "train --lr 0", &["--lr"]), 0);
    let done = "train --data data --model net.json --batch-size 8 --device cpu --max-steps 1 --test-images 0";
    for (code, words, wanted) in [(2, "summary", ""), (1, "train --lr 0", "--lr"), (2, "train --lr 0", "--momentum"), (0, done, "")]
    {
        assert_eq!(wrong(code, words, &[wanted]), 1, "{words}");
    }
}
