//! The checkpoint that a command uses.

use clap::Args;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use train::{Error, Result};

/// Which checkpoint a command uses.
#[derive(Args)]
pub struct Which {
    /// A checkpoint, or the folder of a run, whose best one is taken [default: the newest run in runs/]
    #[arg(long, value_name = "FILE|DIR")]
    checkpoint: Option<PathBuf>,
}

impl Which {
    pub fn file(&self) -> Result<PathBuf> {
        let path = match &self.checkpoint {
            Some(path) => path.clone(),
            None => newest_run(Path::new("runs"))?,
        };
        checkpoint_of(path)
    }
}

/// The best checkpoint of a run's folder; a file is one itself.
pub fn checkpoint_of(path: PathBuf) -> Result<PathBuf> {
    if !path.is_dir() {
        return Ok(path);
    }
    let files = ["best.safetensors", "last.safetensors"].map(|name| path.join(name));
    let found = files.into_iter().find(|file| file.is_file());
    found.ok_or_else(|| Error::Setting(format!("{}: this folder holds no checkpoint; name a run's folder", path.display())))
}

fn newest_run(runs: &Path) -> Result<PathBuf> {
    let written = |path: &PathBuf| -> Option<SystemTime> { path.join("last.safetensors").metadata().ok()?.modified().ok() };
    let found = std::fs::read_dir(runs).ok().and_then(|entries| {
        // What begins with a full stop is a run's folder that is still being made.
        let named = entries.filter_map(|e| e.ok()).filter(|e| !e.file_name().to_string_lossy().starts_with('.'));
        let runs = named.map(|e| e.path()).filter_map(|p| Some((written(&p)?, p)));
        runs.max().map(|(_, path)| path)
    });
    found.ok_or_else(|| Error::Setting("there is no run in runs/; name one with --checkpoint, or train first (wgrad train)".into()))
}
