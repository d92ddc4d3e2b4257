//! `wgrad report`.

use super::answer::{Ending, Json, bytes_of, say, say_json};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use train::Result;
use train::page;
use train::run_folder::REPORT;

#[derive(Args)]
pub struct Flags {
    /// The folders of runs
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// Where to write the page [default: report.html, of one run in its folder, of several in this one]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    json: Json,
}

pub fn run(flags: &Flags) -> Result<Ending> {
    let file = flags.out.clone().unwrap_or_else(|| match &flags.runs[..] {
        [run] => run.join(REPORT),
        _ => REPORT.into(),
    });
    page::write(&flags.runs, &file)?;
    let bytes = bytes_of(&file)?;
    match flags.json.json {
        true => say_json(&json!({ "file": file.display().to_string(), "bytes": bytes, "runs": flags.runs.len() }))?,
        false => say(&format!("{} ({:.1} MB)", file.display(), bytes as f64 / 1e6))?,
    }
    Ok(Ending::Done)
}
