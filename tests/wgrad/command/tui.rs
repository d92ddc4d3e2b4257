//! `wgrad train --tui` on a terminal of its own, which `script` of util-linux makes.

use super::support::Bench;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Epochs of a run that nobody waits for.
const LONG: u64 = 100_000;

#[test]
fn where_stdout_is_no_terminal_the_screen_is_refused() {
    let bench = Bench::new();
    let words = if cfg!(feature = "tui") { "stdout is none" } else { "cargo install wgrad --features tui" };
    bench.train("--tui --name a").refused(words);
    bench.train("--tui --json").refused("cannot be used with");
    assert!(!bench.path("runs").exists());
}

/// A run on a terminal.
struct Terminal {
    child: Child,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    /// None where there is no `script`, or the command has no screen.
    fn open(bench: &Bench, size: &str, words: &str) -> Option<Self> {
        let found = Command::new("script")
            .arg("--version")
            .output()
            .is_ok_and(|out| out.status.success() && String::from_utf8_lossy(&out.stdout).contains("util-linux"));
        if !found || !cfg!(feature = "tui") {
            eprintln!("skipped: there is no `script` of util-linux, or the feature `tui` is off");
            return None;
        }
        let run = bench.training(words);
        let words: Vec<&str> = [run.get_program()].into_iter().chain(run.get_args()).map(|word| word.to_str().unwrap()).collect();
        let line = format!("stty {size}; echo $$ >pid; exec {} --tui", words.join(" "));
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env("TERM", "xterm").env_remove("NO_COLOR");
        script.current_dir(bench.path("")).env("XDG_RUNTIME_DIR", bench.path("")).env("SHELL", "/bin/sh");
        let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (shown, mut out) = (Arc::new(Mutex::new(Vec::new())), child.stdout.take().unwrap());
        let kept = shown.clone();
        std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Some(read) = out.read(&mut part).ok().filter(|read| *read > 0) {
                kept.lock().unwrap().extend(&part[..read]);
            }
        });
        Some(Self { child, shown })
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    fn wait_for(&self, is_there: impl Fn(&str) -> bool) {
        let began = Instant::now();
        while !is_there(&self.text()) {
            assert!(began.elapsed() < Duration::from_secs(120), "not in two minutes: {:?}", self.text());
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Until all of these words stand on the screen.
    fn wait_for_words(&self, words: &[&str]) {
        self.wait_for(|text| {
            let screen = screen(text).join("\n");
            words.iter().all(|word| screen.contains(word))
        });
    }

    fn press(&mut self, keys: &str) {
        self.child.stdin.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    /// The exit code, what stood on the screen, and what stands on the terminal afterwards.
    fn ended(mut self) -> (Option<i32>, Vec<String>, String) {
        let code = self.child.wait().unwrap().code();
        // What was shown last may still be on its way.
        self.wait_for(|text| text.contains(BACK) && text.ends_with('\n'));
        let text = self.text();
        let (before, after) = text.rsplit_once(BACK).unwrap();
        assert!(before.matches(THERE).count() == 1, "{text:?}");
        (code, screen(before), after.to_owned())
    }
}

/// To the other screen, and back again.
const THERE: &str = "\u{1b}[?1049h";
const BACK: &str = "\u{1b}[?1049l";

/// What a terminal shows that was sent this: letters, where the cursor is put, and a screen that is cleared.
fn screen(sent: &str) -> Vec<String> {
    let (mut rows, mut row, mut column) = (vec![vec![' '; 80]; 24], 0, 0);
    let mut letters = sent.chars();
    while let Some(letter) = letters.next() {
        if letter != '\u{1b}' {
            if let Some(cell) = rows.get_mut(row).and_then(|row| row.get_mut(column)).filter(|_| !letter.is_control()) {
                *cell = letter;
                column += 1;
            }
            continue;
        }
        let (mut words, mut end) = (String::new(), None);
        for letter in letters.by_ref().skip_while(|letter| *letter == '[') {
            match letter {
                '0'..='9' | ';' | '?' => words.push(letter),
                _ => {
                    end = Some(letter);
                    break;
                }
            }
        }
        let mut numbers = words.split(';').map(|word| word.parse::<usize>().unwrap_or(1));
        match end {
            Some('H') => (row, column) = (numbers.next().unwrap_or(1) - 1, numbers.next().unwrap_or(1) - 1),
            Some('J') => rows.iter_mut().for_each(|row| row.fill(' ')),
            _ => {}
        }
    }
    rows.into_iter().map(|row| row.into_iter().collect::<String>().trim_end().to_owned()).collect()
}

#[test]
fn a_terminal_shows_what_was_put_there() {
    let shown = screen("gone\u{1b}[?1049h\u{1b}[2J\u{1b}[2;3H\u{1b}[1mab\u{1b}[0m\u{1b}[39mc\u{1b}[2;4Hé\u{1b}[99;1Hx");
    assert_eq!((&shown[0][..], &shown[1][..], &shown[2][..]), ("", "  aéc", ""));
}

#[test]
fn a_run_on_the_screen_is_changed_stopped_by_keys_and_goes_on_from_there() {
    let bench = Bench::new();
    let words = format!("--epochs {LONG} --name a --plain-report");
    let Some(mut terminal) = Terminal::open(&bench, "rows 24 cols 80", &words) else { return };
    terminal.wait_for_words(&["net.json on CIFAR-10 (CPU)", "rate 0.", "loss • validation", "• validation", "q stop"]);
    // An epoch of so few images is told and gone before anybody has read it: what stands still can be looked at.
    terminal.press("p");
    terminal.wait_for_words(&["paused", "p go on"]);
    terminal.press("+s");
    terminal.wait_for_words(&["By hand: after step", "saved at"]);
    terminal.press("p");
    terminal.wait_for_words(&["p pause"]);
    terminal.press("q");
    let (code, screen, after) = terminal.ended();
    assert_eq!(code, Some(130), "{after}");
    assert_eq!(screen[0], "net.json on CIFAR-10 (CPU)");
    for told in ["run: runs/a", "By hand: after step ", "stopped after step ", "wgrad train --resume runs/a"] {
        assert!(after.contains(told), "{told} is missing: {after:?}");
    }
    let by_hand = |bench: &Bench| bench.log("runs/a").iter().filter(|line| line["lr_by_hand"].is_number()).count();
    assert_eq!(by_hand(&bench), 1);
    let steps = |bench: &Bench| bench.log("runs/a").iter().filter_map(|line| line["step"].as_u64()).max().unwrap();
    let before = steps(&bench);
    let more = format!("train --resume runs/a --max-steps {}", before + 30);
    bench.run(&more).ok();
    assert!(steps(&bench) >= before + 20 && by_hand(&bench) == 1);
}

#[test]
fn sigterm_gives_the_terminal_back_and_saves() {
    let bench = Bench::new();
    let words = format!("--epochs {LONG} --name a --plain-report");
    let Some(terminal) = Terminal::open(&bench, "rows 12 cols 40", &words) else { return };
    terminal.wait_for_words(&["images/s", "loss • validation", "q stop  s save"]);
    let pid = std::fs::read_to_string(bench.path("pid")).unwrap();
    assert!(Command::new("kill").args(["-TERM", pid.trim()]).status().unwrap().success());
    let (code, screen, after) = terminal.ended();
    assert_eq!(code, Some(130), "{after}");
    assert!(screen[11].starts_with("q stop") && screen[12..].iter().all(String::is_empty), "{screen:?}");
    assert!(screen.iter().all(|line| line.chars().count() <= 40), "{screen:?}");
    assert!(after.contains("stopped after step ") && bench.path("runs/a/last.safetensors").is_file(), "{after:?}");
}

#[test]
fn an_error_gives_the_terminal_back() {
    let bench = Bench::new();
    let Some(terminal) = Terminal::open(&bench, "rows 24 cols 80", "--name a --lr 1e30 --schedule constant") else { return };
    let (code, _, after) = terminal.ended();
    assert!(code == Some(1) && after.contains("error: ") && after.contains("training diverged"), "{code:?}: {after:?}");
    // Before anything is drawn, too.
    let Some(terminal) = Terminal::open(&bench, "rows 24 cols 80", "--name b --momentum 7") else { return };
    let (code, _, after) = terminal.ended();
    assert!(code == Some(2) && after.contains("error: --momentum 7"), "{code:?}: {after:?}");
}
