//! How a command answers.

use clap::Args;
use serde::Serialize;
use std::io::{self, Write};
use std::path::Path;
use train::console::forgive_a_closed_pipe;
use train::error::{printable, printable_json};
use train::{Error, Result};

#[derive(Args)]
pub struct Json {
    /// Print one JSON object on stdout, and nothing else there
    #[arg(long)]
    pub json: bool,
}

/// How a command ended when nothing stood in its way.
pub enum Ending {
    Done,
    FoundWrong,
    Interrupted,
    /// It failed with this exit code, and said so.
    Told(u8),
}

/// Prints to stdout; a reader that went away is no fault.
pub fn say(text: &str) -> Result<()> {
    print(&printable(text))
}

pub fn say_json(value: &impl Serialize) -> Result<()> {
    print(&printable_json(&serde_json::to_string(value).expect("results are JSON")))
}

/// How large a file is that was written.
pub fn bytes_of(file: &Path) -> Result<u64> {
    Ok(std::fs::metadata(file).map_err(|source| Error::File { doing: "reading", path: file.into(), source })?.len())
}

/// Prints one row of comma-separated values.
pub fn say_csv(cells: &[String]) -> Result<()> {
    let mut row = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    let written = row.write_record(cells).map_err(io::Error::other).and_then(|()| row.into_inner().map_err(|e| e.into_error()));
    let bytes = written.expect("a list takes all bytes");
    say(String::from_utf8(bytes).expect("it was made of text").trim_end_matches('\n'))
}

fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    written.or_else(forgive_a_closed_pipe).map_err(Error::Output)
}
