//! What a person sees during a run: lines, and a bar where there is a terminal and the feature `cli`.

#[cfg_attr(not(feature = "cli"), path = "no_bar.rs")]
mod bar;

use bar::Bar;
use std::io::{self, Write};
use std::time::Duration;

/// Lines go to stdout, or to stderr where stdout is kept for a JSON object; the bar goes to stderr, on a terminal only.
///
/// A reader of stdout that goes away (`wgrad | head -1`) does not stop a run.
#[derive(Debug)]
pub struct Console {
    json: bool,
    bar: Bar,
}

impl Console {
    /// `json`: stdout is kept for one JSON object.
    pub fn new(json: bool) -> Self {
        Self { json, bar: Bar::hidden() }
    }

    /// A result, for stdout.
    pub fn say(&self, line: &str) {
        self.bar.suspend(|| {
            let _ = if self.json { writeln!(io::stderr(), "{line}") } else { writeln!(io::stdout(), "{line}") };
        });
    }

    /// A remark, for stderr.
    pub fn note(&self, line: &str) {
        self.bar.suspend(|| {
            let _ = writeln!(io::stderr(), "{line}");
        });
    }

    /// Begins a bar of `steps`, of which `done` are done.
    pub fn begin(&mut self, title: String, done: u64, steps: u64) {
        self.end();
        self.bar = Bar::new(title, done, steps);
    }

    /// Whether there is a bar to be filled.
    pub fn is_live(&self) -> bool {
        self.bar.is_live()
    }

    /// One step is done.
    pub fn advance(&self) {
        self.bar.advance();
    }

    /// What stands behind the bar.
    pub fn status(&self, text: String) {
        self.bar.status(text);
    }

    /// Takes the bar away.
    pub fn end(&mut self) {
        std::mem::replace(&mut self.bar, Bar::hidden()).clear();
    }
}

/// `0:42`, `12:05`, `3:07:00`.
pub fn clock_time(duration: Duration) -> String {
    let s = duration.as_secs();
    match s / 3600 {
        0 => format!("{}:{:02}", s / 60, s % 60),
        h => format!("{h}:{:02}:{:02}", s / 60 % 60, s % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_on_a_clock() {
        let texts = [42, 725, 11_220].map(|s| clock_time(Duration::from_secs(s)));
        assert_eq!(texts, ["0:42", "12:05", "3:07:00"]);
    }
}
