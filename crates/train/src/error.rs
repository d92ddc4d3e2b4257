//! What can go wrong in the workshop, each as one sentence that says what to do next.

use crate::data::DataError;
use std::io;
use std::path::{Path, PathBuf};

/// The result of whatever depends on files, settings or a device.
pub type Result<T> = std::result::Result<T, Error>;

/// A fault from outside the program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A data set that cannot be opened.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A fault of the device.
    #[error(transparent)]
    Device(#[from] gpu_core::Error),
    /// A golden file that cannot be used.
    #[error(transparent)]
    Golden(#[from] proof::Error),
    /// A setting that is out of range or does not fit the others.
    #[error("{0}")]
    Setting(String),
    /// A file that cannot be read or written.
    #[error("{doing} {}: {source}", path.display())]
    File {
        /// `reading`, `writing`, ...
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's own words.
        source: io::Error,
    },
    /// A file that was read and is not what it should be.
    #[error("{}: {message}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        message: String,
    },
    /// The loss, a weight or what is kept of an optimiser became infinite or not a number.
    #[error("{what} at step {step}: training diverged; use a lower --lr{place}")]
    Diverged {
        /// What is not finite, as in `the loss is NaN`.
        what: String,
        /// The step after which it was seen.
        step: u64,
        /// Where it began and where the last checkpoint from before lies, in brackets; or nothing.
        place: String,
    },
    /// The GPU went away in the middle of a run, and the weights with it.
    #[error("the GPU was lost at step {step} ({detail}); `wgrad train --resume {}` goes on from step {saved}", folder.display())]
    Lost {
        /// The driver's own words.
        detail: String,
        /// The step under way.
        step: u64,
        /// The last one that was saved.
        saved: u64,
        /// The run.
        folder: PathBuf,
    },
    /// A file whose weights are infinite or no numbers, or a network that gives such.
    #[error("{}: {what}; the run that it is of diverged: take an earlier checkpoint", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// What is not finite.
        what: String,
    },
    /// A network that gives what is infinite or no number, though its weights are.
    #[error("the loss over these images is {0}: the network gives what is no number; take an earlier checkpoint")]
    LossNotFinite(f64),
    /// A network that gives no probabilities.
    #[error("the network gives {0}, which is no probability: the run that it is of diverged; take an earlier checkpoint")]
    OutputNotFinite(f32),
    /// What another process of the same run met, which all of them end for. The first one tells it.
    #[error("process {rank}: {message}")]
    Peer {
        /// Which, from 0.
        rank: usize,
        /// Its own words.
        message: String,
        /// Its exit code.
        code: u8,
    },
    /// What was asked for was done, and cannot be told.
    #[error("writing the output: {0}")]
    Output(io::Error),
}

impl Error {
    /// The exit code of the command: 1 for a run that went wrong by itself, 2 for bad input or a bad environment, 3 for an output that
    /// takes nothing.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Diverged { .. }
            | Self::Lost { .. }
            | Self::NotFinite { .. }
            | Self::LossNotFinite(_)
            | Self::OutputNotFinite(_) => 1,
            Self::Output(_) => 3,
            Self::Peer { code, .. } => *code,
            _ => 2,
        }
    }

    pub(crate) fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::File { doing, path, source }
    }

    pub(crate) fn content(path: &Path, message: impl Into<String>) -> Self {
        Self::Content { path: path.into(), message: message.into() }
    }

    pub(crate) fn setting<T>(message: impl Into<String>) -> Result<T> {
        Err(Self::Setting(message.into()))
    }
}

impl From<nn::StepError> for Error {
    fn from(error: nn::StepError) -> Self {
        match error {
            nn::StepError::Device(e) => Self::Device(e),
            other => Self::Setting(other.to_string()),
        }
    }
}

/// An error and its causes as one line; a cause that is already told is left out.
pub fn one_line(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        let text = e.to_string();
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        cause = e.source();
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text for a terminal: a control character, which could move its cursor or hide what stands there, is shown as `\u{1b}`; lines stay.
/// So are those that turn the direction of what follows.
///
/// ```
/// # use train::error::printable;
/// assert_eq!(printable("cat\x1b[2J\ndög"), "cat\\u{1b}[2J\ndög");
/// ```
pub fn printable(text: &str) -> String {
    let shown = text.chars().map(|c| if c != '\n' && is_hidden(c) { c.escape_default().to_string() } else { c.to_string() });
    shown.collect()
}

/// The same for JSON on one line, as its own escapes: it means what it meant.
///
/// ```
/// # use train::error::printable_json;
/// assert_eq!(printable_json("\"cat\u{7f}\u{202e}\""), "\"cat\\u007f\\u202e\"");
/// ```
pub fn printable_json(text: &str) -> String {
    text.chars().map(|c| if is_hidden(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() }).collect()
}

/// Whether a character does something else than to be seen.
fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// The same on one line: for a name from outside.
pub fn printable_name(name: &str) -> String {
    printable(name).replace('\n', "\\n")
}

/// The most characters that a message has.
const MOST: usize = 290;

/// A message of at most 290 characters: what is left out of a longer one is its middle, because the beginning says what is wrong and
/// the end what to do.
pub fn short(message: &str) -> String {
    let length = message.chars().count();
    if length <= MOST {
        return message.to_owned();
    }
    let (begin, end) = (MOST * 2 / 3, MOST / 3 - 3);
    let tail: String = message.chars().skip(length - end).collect();
    format!("{} … {tail}", message.chars().take(begin).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_keeps_its_beginning_and_its_end() {
        let long = format!("begin {} end", "ä".repeat(5000));
        let cut = short(&long);
        assert!(cut.starts_with("begin ä") && cut.ends_with("ä end") && cut.chars().count() <= MOST, "{cut}");
        assert_eq!(short("a word"), "a word");
    }

    #[test]
    fn what_moves_a_cursor_or_turns_a_line_is_shown() {
        for (text, want) in [("a\tb", "a\\tb"), ("\u{202e}x", "\\u{202e}x"), ("\u{9b}", "\\u{9b}"), ("naïve", "naïve")] {
            assert_eq!(printable(text), want);
        }
        assert_eq!(printable_name("a\nb"), "a\\nb");
    }
}
