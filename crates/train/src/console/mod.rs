//! What a person sees during a run: lines, and a bar where there is a terminal and the feature `cli`.

#[cfg_attr(not(feature = "cli"), path = "no_bar.rs")]
mod bar;
mod sparkline;

pub use sparkline::sparkline;

use crate::error::{Error, Result, printable};
use crate::onlooker::{Event, Onlooker, Wish};
use bar::Bar;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

/// Where lines go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lines {
    /// Results to stdout, remarks to stderr.
    Out,
    /// All to stderr.
    Err,
    /// Remarks to stderr, and no results.
    Remarks,
    Nowhere,
}

/// Lines go to stdout, or to stderr where stdout is kept for a JSON object; the bar goes to stderr, on a terminal only.
///
/// Neither a reader of stdout that goes away (`wgrad | head -1`) nor a full disk there stops a run; the second is told at its end, by
/// [`finish`](Self::finish).
#[derive(Debug)]
pub struct Console {
    lines: Lines,
    /// What it is a part of, before the titles of its bars.
    part: Option<String>,
    bar: Bar,
    /// Who is told everything in the place of lines and bars.
    onlooker: Option<Arc<dyn Onlooker>>,
    /// What stdout said to the first line that it did not take.
    fault: Mutex<Option<io::Error>>,
}

impl Console {
    /// `json`: stdout is kept for one JSON object.
    pub fn new(json: bool) -> Self {
        Self::to(if json { Lines::Err } else { Lines::Out })
    }

    /// For a program that says itself what is to be said.
    pub fn silent() -> Self {
        Self::to(Lines::Nowhere)
    }

    /// For a part of something larger, which tells results itself: bars and remarks alone, the bars under this title.
    pub fn of_part(title: String) -> Self {
        Self { part: Some(title), ..Self::to(Lines::Remarks) }
    }

    /// For an onlooker, who is told everything: nothing is printed.
    pub fn watched(onlooker: Arc<dyn Onlooker>) -> Self {
        Self { onlooker: Some(onlooker), ..Self::silent() }
    }

    fn to(lines: Lines) -> Self {
        Self { lines, part: None, bar: Bar::hidden(), onlooker: None, fault: Mutex::default() }
    }

    /// For an onlooker, where there is one.
    pub(crate) fn tell(&self, event: Event<'_>) {
        if let Some(onlooker) = &self.onlooker {
            onlooker.see(event);
        }
    }

    /// What an onlooker wishes next after `step` steps.
    pub(crate) fn wish(&self, step: u64) -> Option<Wish> {
        self.onlooker.as_ref().and_then(|onlooker| onlooker.wish(step))
    }

    /// A bar, where anything is shown.
    fn bar(&self, title: String, done: u64, steps: u64) -> Bar {
        let title = self.part.as_ref().map_or_else(|| title.clone(), |part| format!("{part}, {title}"));
        self.tell(Event::Begun { title: &title, done, parts: steps });
        if self.lines == Lines::Nowhere { Bar::hidden() } else { Bar::new(title, done, steps) }
    }

    /// A result, for stdout.
    pub fn say(&self, text: &str) {
        self.tell(Event::Said(&printable(text)));
        match self.lines {
            Lines::Out => {}
            Lines::Err => return self.note(text),
            Lines::Remarks | Lines::Nowhere => return,
        }
        self.bar.suspend(|| {
            let written = writeln!(io::stdout(), "{}", printable(text)).and_then(|()| io::stdout().flush());
            if let Err(e) = written.or_else(forgive_a_closed_pipe) {
                self.fault.lock().expect("nothing panics with it").get_or_insert(e);
            }
        });
    }

    /// A remark, for stderr.
    pub fn note(&self, text: &str) {
        self.tell(Event::Noted(&printable(text)));
        if self.lines == Lines::Nowhere {
            return;
        }
        self.bar.suspend(|| {
            let _ = writeln!(io::stderr(), "{}", printable(text));
        });
    }

    /// Whether stdout took all that was said.
    ///
    /// # Errors
    /// If it did not; a reader that went away is no fault.
    pub fn finish(&self) -> Result<()> {
        let fault = self.fault.lock().expect("nothing panics with it").take();
        fault.map_or(Ok(()), |e| Err(Error::Output(e)))
    }

    /// What is to be called once for each of so many things, from whatever thread; there is a bar of them while it lives.
    pub fn counting(&self, title: &str) -> impl Fn(usize) + Sync {
        let (title, bar) = (title.to_owned(), OnceLock::new());
        move |total| {
            bar.get_or_init(|| self.bar(title.clone(), 0, total as u64)).advance();
            self.tell(Event::Advanced);
        }
    }

    /// Begins a bar of `steps`, of which `done` are done.
    pub fn begin(&mut self, title: String, done: u64, steps: u64) {
        self.end();
        self.bar = self.bar(title, done, steps);
    }

    /// Whether anybody sees how steps go.
    pub fn is_live(&self) -> bool {
        self.bar.is_live() || self.onlooker.is_some()
    }

    /// One step is done.
    pub fn advance(&self) {
        self.bar.advance();
        self.tell(Event::Advanced);
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

/// A reader that went away has read what it wanted.
///
/// # Errors
/// Any other fault.
pub fn forgive_a_closed_pipe(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
}

/// `1 epoch`, `3 epochs`.
pub fn counted(number: u64, what: &str) -> String {
    let end = if number == 1 { "" } else { "s" };
    format!("{number} {what}{end}")
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
