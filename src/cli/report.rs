//! `wgrad report`.

use super::answer::{Ending, Json, bytes_of, say, say_json};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};
use train::console::Console;
use train::inspect::Inspection;
use train::page;
use train::run_folder::{INSPECTION, REPORT, RunFolder};
use train::settings::DeviceKind;
use train::{Result, trainer};

#[derive(Args)]
pub struct Flags {
    /// The folders of runs
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// Where to write the page [default: report.html, of one run in its folder, of several in this one]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Where to look into the network of a run whose folder does not say what is in it [default: the run's own]
    #[arg(long, value_enum)]
    device: Option<DeviceKind>,
    #[command(flatten)]
    json: Json,
}

pub fn run(flags: &Flags) -> Result<Ending> {
    let file = flags.out.clone().unwrap_or_else(|| match &flags.runs[..] {
        [run] => run.join(REPORT),
        _ => REPORT.into(),
    });
    if let [run] = &flags.runs[..] {
        let console = Console::new(flags.json.json);
        // The page is there for what else the run has.
        if let Err(error) = inspect(run, flags.device, &console) {
            console.note(&format!("The report goes without pictures and layers: {error}"));
        }
    }
    page::write(&flags.runs, &file)?;
    let bytes = bytes_of(&file)?;
    match flags.json.json {
        true => say_json(&json!({ "file": file.display().to_string(), "bytes": bytes, "runs": flags.runs.len() }))?,
        false => say(&format!("{} ({:.1} MB)", file.display(), bytes as f64 / 1e6))?,
    }
    Ok(Ending::Done)
}

/// Looks into the network of a run that has a checkpoint, where nobody has, and keeps what is found in its folder.
fn inspect(run: &Path, device: Option<DeviceKind>, console: &Console) -> Result<()> {
    if run.join(INSPECTION).exists() || !run.join("last.safetensors").is_file() {
        return Ok(());
    }
    let folder = RunFolder::open(run)?;
    let mut config = folder.read_settings()?.resolve()?;
    if config.plain_report == Some(true) && device.is_none() {
        return Ok(());
    }
    let data = config.open_data(console)?;
    let device = trainer::open_device(device.unwrap_or(config.device), console)?;
    Inspection::of(&folder, &config, &data, &device)?.write(&folder.inspection())
}
